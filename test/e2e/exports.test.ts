/** Every export at once, of known work: each is read by what its format is for, and says what the NDJSON says. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { isIPv4, isIPv6 } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Sample } from "../../src/core/profile/sample.ts";
import { askForBodies } from "../support/answers.ts";
import {
  attributes,
  hex,
  type OtlpReceiver,
  type SkywalkingServer,
  startOtlpReceiver,
  startSkywalking,
} from "../support/backends.ts";
import { createCertificate } from "../support/certificate.ts";
import { startChild } from "../support/child.ts";
import { freePort } from "../support/free-port.ts";
import { l7prof, type Result, startL7prof } from "../support/l7prof.ts";
import { load, type Request } from "../support/load.ts";
import { startNginx } from "../support/nginx.ts";
import { inRepo, temporaryDirectory } from "../support/paths.ts";
import { startNodeServer } from "../support/servers.ts";
import { mountTmpfs } from "../support/tmpfs.ts";

const B3 = { traceId: "463ac35c9f6413ad48485a3953bb6124", spanId: "00f067aa0ba902b7" };
const SW8 = "1-VFJBQ0VJRA==-U0VHTUVOVElE-3-c2VydmljZQ==-aW5zdGFuY2U=-L2FwcA==-MTI3LjAuMC4xOjgwODA=";
const SECRET = "s3cr3t-of-nobody";
const mix: readonly Request[] = [
  { path: "/hello" },
  { path: "/status/503" },
  { path: `/nowhere?token=${SECRET}&page=2`, headers: { authorization: `Bearer ${SECRET}` } },
  {
    path: "/upload",
    method: "POST",
    body: JSON.stringify({ password: SECRET, note: "it's" }),
    headers: { "content-type": "application/json" },
  },
  { path: "/chunked/3", headers: { b3: `${B3.traceId}-${B3.spanId}-1` } },
  { path: "/size/100000", headers: { sw8: SW8 } },
];
const COUNT = 53;

interface Exported {
  readonly result: Result;
  readonly files: { readonly har: string; readonly pcap: string; readonly curl: string; readonly zipkin: string };
  readonly otlp: OtlpReceiver;
  readonly skywalking: SkywalkingServer;
  readonly page: string;
  readonly openMetrics: string;
  readonly port: number;
  readonly counters: unknown;
  /** Bodies as the clients got them: the first one, and the script. */
  readonly bodies: readonly string[];
  readonly answers: string;
}
let directory: string;
let all: Exported;
let samples: readonly Sample[];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "l7prof-"));
  const at = (name: string) => join(directory, name);
  const files = { har: at("o.har"), pcap: at("o.pcapng"), curl: at("o.sh"), zipkin: at("zipkin.json") };
  const [server, otlp, skywalking, prometheus] = [
    await startNodeServer(),
    await startOtlpReceiver(),
    await startSkywalking(),
    await freePort(),
  ];
  const run = await startL7prof([
    ...["--pid", `${server.pid}`, "--slow", "0", "--raw-uris", "--interval", "0"],
    ...["--har", files.har, "--pcap", files.pcap, "--curl", files.curl, "--zipkin", files.zipkin],
    ...["--otlp", otlp.url, "--skywalking", `127.0.0.1:${skywalking.port}`, "--prometheus", `${prometheus}`],
  ]);
  const bodies = await askForBodies(mix, server.port, COUNT);
  const { exchanges: counters } = await server.counters();
  const scrape = async (accept: string) =>
    (await fetch(`http://127.0.0.1:${prometheus}/metrics`, { headers: { accept } })).text();
  await run.waitFor(() => run.lines().filter(({ type }) => type === "sample").length === COUNT);
  const [page, openMetrics] = [await scrape("text/plain"), await scrape("application/openmetrics-text")];
  const result = await run.finish();
  // The server is still there to be asked again.
  const answers = execFileSync("bash", [files.curl], { encoding: "utf8", maxBuffer: 1 << 24 });
  all = { result, files, otlp, skywalking, page, openMetrics, port: server.port, counters, bodies, answers };
  samples = result.samples;
});
// Not temporaryDirectory, which goes after each test.
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe("all of them", () => {
  test("say at the end what became of it, and lose nothing", () => {
    expect(samples).toHaveLength(COUNT);
    const said = all.result.stderr.trimEnd().split("\n");
    expect(said.map((line) => line.replace(/ \S*\/(\S+)/g, " $1"))).toEqual([
      expect.stringMatching(/^l7prof: --zipkin zipkin\.json: 9 spans in zipkin\.json, 44 without a span/),
      expect.stringMatching(/^l7prof: --skywalking 127\.0\.0\.1:\d+: \d+ events, 36 samples without a span$/),
      expect.stringMatching(/^l7prof: --otlp .*: 53 spans and 1 metric exports$/),
      expect.stringMatching(/^l7prof: --prometheus .*: 2 scrapes$/),
      expect.stringMatching(/^l7prof: --har o\.har: 53 requests in o\.har$/),
      expect.stringMatching(/^l7prof: --pcap o\.pcapng: 53 exchanges in o\.pcapng$/),
      expect.stringMatching(/^l7prof: --curl o\.sh: 53 requests in o\.sh$/),
    ]);
  });

  test("no secret is in any of them", () => {
    const { files, otlp, skywalking, page } = all;
    const texts = [...Object.values(files).map((file) => readFileSync(file, "latin1")), page];
    texts.push(JSON.stringify([otlp.spans, [...otlp.metrics], skywalking.events]));
    for (const text of texts) expect(text).not.toContain(SECRET);
  });
});

describe("--har", () => {
  test("obeys the schema of HAR 1.2", () => {
    const schemas = createRequire(import.meta.url)("har-schema");
    const ajv = new Ajv({ strict: false });
    ajv.addFormat("ipv4", isIPv4).addFormat("ipv6", isIPv6).addFormat("uri", URL.canParse);
    ajv.addFormat("date-time", (text: string) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/.test(text));
    ajv.addMetaSchema(createRequire(import.meta.url)("ajv/dist/refs/json-schema-draft-06.json"));
    ajv.addSchema(Object.values(schemas) as object[]);
    const validate = ajv.getSchema("har.json#")!;
    validate(har());
    expect(validate.errors).toBeNull();
  });

  test("has every sample, with its status, sizes and times", () => {
    const entries = har().log.entries;
    expect(
      entries.map(({ request, response, time, startedDateTime }: Entry) => [
        request.method,
        request.url,
        response.status,
        request.bodySize,
        response.bodySize,
        time,
        startedDateTime,
      ]),
    ).toEqual(
      samples.map(({ request, response, durationMs, events }) => [
        request.method,
        `http://127.0.0.1:${all.port}${request.uri}`,
        response.status,
        request.bodyBytes,
        response.bodyBytes,
        expect.closeTo(durationMs, 5),
        (events[0] as unknown as { start: string }).start,
      ]),
    );
    for (const { time, timings } of entries) expect(timings.send + timings.wait + timings.receive).toBeCloseTo(time, 6);
  });
});

describe("--pcap", () => {
  test("tshark reads the same requests, statuses and times, and has nothing to complain of", () => {
    const rows = tshark([
      "-Y",
      "http",
      "-T",
      "fields",
      ...[
        "http.request.method",
        "http.request.uri",
        "http.response.code",
        "tcp.srcport",
        "tcp.dstport",
        "frame.time_epoch",
        "_ws.malformed",
      ].flatMap((field) => ["-e", field]),
    ]);
    const requests = rows.filter(([method]) => method !== "");
    const responses = rows.filter(([, , code]) => code !== "");
    expect(rows.map((row) => row[6])).toEqual(rows.map(() => ""));
    expect(requests.map(([method, uri]) => [method, uri!.replace(/token=[^&]*/, "token=…")])).toEqual(
      samples.map(({ request }) => [request.method, request.uri.replace(/token=[^&]*/, "token=…")]),
    );
    expect(responses.map(([, , code]) => Number(code))).toEqual(samples.map(({ response }) => response.status));
    expect(requests.every(([, , , , to]) => Number(to) === all.port)).toBe(true);
    expect(responses.every(([, , , from]) => Number(from) === all.port)).toBe(true);
    // tshark shows a message with the packet that completes it: the last call of the request.
    expect(requests.map((row) => packetUs(row[5]!))).toEqual(samples.map((one) => epochUs(eventOf(one, 0).end)));
    expect(responses.map((row) => packetUs(row[5]!))).toEqual(samples.map((one) => epochUs(eventOf(one, 1).end)));
    expect(tshark(["-q", "-z", "expert,error"]).join()).not.toMatch(/Errors \(\d+\)/);
  });

  test("checksums are right, sequence numbers those of the connection", () => {
    const checks = [
      "-o",
      "tcp.check_checksum:TRUE",
      "-o",
      "ip.check_checksum:TRUE",
      "-o",
      "tcp.relative_sequence_numbers:FALSE",
    ];
    const bad = tshark([...checks, "-Y", "(tcp.checksum.status == 0 || ip.checksum.status == 0) && !_ws.short"]);
    expect(bad.filter(([line]) => line !== "")).toEqual([]);
    // All went over one connection, and all of it was sampled: nothing is missing between one message and the next.
    expect(
      tshark(["-Y", "tcp.analysis.lost_segment || tcp.analysis.out_of_order || tcp.analysis.retransmission"]).filter(
        ([line]) => line !== "",
      ),
    ).toEqual([]);
  });

  test("the process is the comment of a packet", () => {
    const comments = tshark(["-T", "fields", "-e", "frame.comment"])
      .map(([text]) => text)
      .filter(Boolean);
    expect(comments).toHaveLength(COUNT);
    expect(new Set(comments.map((text) => text!.replace(/\[\d+\].*/, "")))).toEqual(new Set(["node"]));
  });
});

describe("--curl", () => {
  test("is a script of bash", () => {
    expect(() => execFileSync("bash", ["-n", all.files.curl])).not.toThrow();
  });

  test("asks the server again, and gets the same answers", () => {
    const expected = samples.map(({ request, response }, i) => {
      // It answers how long the body was, and of that the secret is not sent again.
      const body = request.uri === "/upload" ? `${Buffer.byteLength(request.body)}\n` : all.bodies[i]!;
      return `${body}\n${response.status}\n`;
    });
    expect(all.answers).toBe(expected.join(""));
  });
});

describe("--otlp", () => {
  test("a collector's definitions decode the spans: ids, parents, times, attributes", () => {
    const { spans } = all.otlp;
    expect(spans).toHaveLength(COUNT);
    for (const [i, { resource, span }] of spans.entries()) {
      const { request, response, trace, durationMs } = samples[i]!;
      const isB3 = trace?.system === "b3";
      expect(resource["service.name"]).toBe("node");
      expect(attributes(span.attributes)).toMatchObject({
        "http.request.method": request.method,
        "http.response.status_code": response.status,
        "http.request.body.size": request.bodyBytes,
        "http.response.body.size": response.bodyBytes,
        "url.path": request.uri.split("?")[0],
        "server.port": all.port,
        ...(response.status >= 500 && { "error.type": String(response.status) }),
      });
      expect([hex(span.parentSpanId), isB3 ? hex(span.traceId) : ""]).toEqual(
        isB3 ? [B3.spanId, B3.traceId] : ["", ""],
      );
      expect(Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6).toBeCloseTo(durationMs, 2);
      expect([span.kind, span.status.code]).toEqual([2, response.status >= 500 ? 2 : 0]);
      expect(span.events).toHaveLength(samples[i]!.events.length);
    }
    expect(new Set(spans.map(({ span }) => span.spanId)).size).toBe(COUNT);
  });

  test("the metrics count every exchange, in the standard buckets", () => {
    const duration = all.otlp.metrics.get("node http.server.request.duration");
    const points = duration.histogram.dataPoints;
    expect(duration.unit).toBe("s");
    expect(points[0].explicitBounds).toEqual([
      0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
    ]);
    const byKey = Object.fromEntries(
      points.map(({ attributes: list, count }: { attributes: []; count: number }) => {
        const of = attributes(list);
        return [`${of["http.request.method"]} ${of["http.route"]} ${of["http.response.status_code"]}`, count];
      }),
    );
    expect(byKey).toEqual(all.counters);
    const sum = points.reduce((total: number, point: { sum: number }) => total + point.sum, 0);
    expect(sum * 1000).toBeCloseTo(
      samples.reduce((total, { durationMs }) => total + durationMs, 0),
      3,
    );
    const sizes = all.otlp.metrics.get("node http.server.response.body.size").histogram.dataPoints;
    expect(sizes.reduce((total: number, point: { sum: number }) => total + point.sum, 0)).toBe(
      samples.reduce((total, { response }) => total + response.bodyBytes, 0),
    );
  });
});

describe("--skywalking", () => {
  test("a server of the official definitions gets the events of the contexts that it knows", () => {
    const traced = samples.filter(({ trace }) => trace !== null);
    expect(all.skywalking.events.map(({ event, traceContext }) => [event, traceContext])).toEqual(
      traced.flatMap(({ trace, events }) =>
        events.map(({ name }) => [
          name,
          trace!.system === "b3"
            ? { type: "ZIPKIN", traceId: B3.traceId, traceSegmentId: "", spanId: B3.spanId }
            : { type: "SKYWALKING", traceId: "TRACEID", traceSegmentId: "SEGMENTID", spanId: "3" },
        ]),
      ),
    );
    const [first] = all.skywalking.events;
    const { tags, summary } = eventOf(traced[0]!, 0);
    expect(Object.fromEntries(first!.tags.map(({ key, value }) => [key, value]))).toEqual(tags);
    expect(Object.fromEntries(first!.summary.map(({ key, value }) => [key, value]))).toEqual(summary);
    expect(first!.startTime.seconds * 1e6 + Math.round(first!.startTime.nanos / 1e3)).toBe(
      epochUs(eventOf(traced[0]!, 0).start),
    );
  });
});

describe("--zipkin FILE", () => {
  test("fragments of the spans that B3 names, that compete with nothing of theirs", () => {
    const spans = JSON.parse(readFileSync(all.files.zipkin, "utf8"));
    for (const [i, span] of spans.entries()) {
      expect(Object.keys(span).sort()).toEqual(["annotations", "id", "shared", "tags", "traceId"]);
      expect([span.traceId, span.id, span.shared]).toEqual([B3.traceId, B3.spanId, true]);
      const values = span.annotations.map(({ value }: { value: string }) => value);
      expect(values.slice(0, 2)).toEqual([
        `Start HTTP Request Sampling-${i + 1}`,
        `Finished HTTP Request Sampling-${i + 1}`,
      ]);
      expect(span.tags[`HTTP Response Sampling-${i + 1}`]).toContain("part 0");
    }
  });
});

describe("--prometheus", () => {
  test("counts every exchange, by route and status", () => {
    const counts = [...all.page.matchAll(/^http_server_request_duration_seconds_count\{(.*)\} (\d+)$/gm)].map(
      ([, labels, count]) => {
        const of = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(labels!)?.[1];
        return [`${of("http_request_method")} ${of("http_route")} ${of("http_response_status_code")}`, Number(count)];
      },
    );
    expect(Object.fromEntries(counts)).toEqual(all.counters);
    expect(all.openMetrics.endsWith("# EOF\n")).toBe(true);
  });
});

test("--pcap of HTTPS is plaintext that tshark reads as HTTP; of IPv6, packets", async () => {
  const file = join(temporaryDirectory(), "o.pcapng");
  const nginx = await startNginx({ tls: { certificate: createCertificate(), protocols: "TLSv1.3" } });
  const server = await startNodeServer(["--host", "::1"]);
  const targets = [
    "--pid",
    `${nginx.pid}`,
    "--port",
    `${nginx.port}`,
    "--pid",
    `${server.pid}`,
    "--port",
    `${server.port}`,
  ];
  const run = await startL7prof([...targets, "--slow", "0", "--max-response-size", "100k", "--pcap", file]);
  const curl = (url: string) => execFileSync("curl", ["-sSkg", "-o", "/dev/null", url]);
  for (let i = 0; i < 3; i++) curl(`https://127.0.0.1:${nginx.port}/hello?n=${i}`);
  for (const path of ["/hello", "/size/90000"]) curl(`http://[::1]:${server.port}${path}`);
  await run.waitFor(() => run.lines().filter(({ type }) => type === "sample").length >= 5);
  const { samples: seen } = await run.finish();
  expect(seen.map(({ protocol }) => protocol).sort()).toEqual(["http", "http", "https", "https", "https"]);
  const fields = ["http.request.uri", "http.response.code", "ipv6.src", "_ws.malformed"];
  const rows = tsharkOf(file, ["-T", "fields", ...fields.flatMap((name) => ["-e", name])]);
  const told = (column: number) => rows.map((row) => row[column]!).filter(Boolean);
  expect(told(0).sort()).toEqual(seen.map(({ request }) => request.uri).sort());
  expect(told(1)).toEqual(seen.map(() => "200"));
  expect([new Set(told(2)), told(3)]).toEqual([new Set(["::1"]), []]);
});

test("a disk that is full loses the rest, counted, and stops nothing", async () => {
  const disk = mountTmpfs(16_384);
  const server = await startNodeServer();
  const run = await startL7prof(["--pid", `${server.pid}`, "--slow", "0", "--har", join(disk, "o.har")]);
  await load([{ path: "/hello" }], { port: server.port, count: 67 });
  const { code, stderr, summary, warnings } = await run.finish();
  expect([code, summary.capture.exchanges]).toEqual([0, 67]);
  const [, kept, lost] = /: (\d+) requests in .*, (\d+) LOST \(ENOSPC\)/.exec(stderr)!.map(Number);
  expect(kept! + lost!).toBe(67);
  const said = warnings.filter(({ code: kind }) => kind === "export");
  expect(said).toMatchObject([{ message: expect.stringMatching(/--har: .*could not be written: ENOSPC/) }]);
});

test("a replay's metrics stay until Ctrl-C", async () => {
  const recording = join(temporaryDirectory(), "run.l7");
  const server = await startNodeServer();
  const run = await startL7prof(["--pid", `${server.pid}`, "--record", recording]);
  await load([{ path: "/hello" }], { port: server.port, count: 19 });
  await run.finish();
  const port = await freePort();
  const replay = startChild("node", [
    inRepo("bin/l7prof.js"),
    "replay",
    recording,
    "--json",
    "--prometheus",
    `${port}`,
  ]);
  await replay.line(/^\{"type":"summary"/);
  const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(page).toMatch(/^http_server_request_duration_seconds_count\{.*\} 19$/m);
  expect((await replay.stop("SIGINT")).code).toBe(0);
});

test("a backend that is down neither stops nor slows a run, and a replay sends it all again", async () => {
  const directory = temporaryDirectory();
  const [recording, ndjson] = [join(directory, "run.l7"), join(directory, "run.ndjson")];
  const server = await startNodeServer();
  const down = await freePort();
  const run = await startL7prof([
    "--pid",
    `${server.pid}`,
    "--slow",
    "0",
    "--record",
    recording,
    "--zipkin",
    `http://127.0.0.1:${down}`,
    "--zipkin-untraced",
  ]);
  await load(mix, { port: server.port, count: 23 });
  const { code, stderr, samples: seen, warnings } = await run.finish();
  expect([code, seen.length]).toEqual([0, 23]);
  expect(warnings.filter(({ code: kind }) => kind === "export")).toMatchObject([
    { message: expect.stringMatching(/ECONNREFUSED.*trying again/) },
  ]);
  expect(stderr).toMatch(/--zipkin .*: 0 spans, 23 LOST \(connect ECONNREFUSED/);

  const otlp = await startOtlpReceiver();
  const again = await l7prof([
    "replay",
    recording,
    "--slow",
    "0",
    "--json",
    "-o",
    ndjson,
    "--otlp",
    otlp.url,
    "--har",
    join(directory, "o.har"),
  ]);
  expect([again.code, otlp.spans.length]).toEqual([0, 23]);
  const { entries } = JSON.parse(readFileSync(join(directory, "o.har"), "utf8")).log;
  expect(entries.map(({ time }: Entry) => time)).toEqual(seen.map(({ durationMs }) => expect.closeTo(durationMs, 5)));
}, 60_000);

test("a file or port that can't be had is an error before the run", async () => {
  const otlp = await startOtlpReceiver();
  const says = async (...flags: readonly string[]) => {
    const { code, stderr } = await l7prof(["--comm", "nobody", ...flags]);
    return [code, stderr.split("\n")[0]];
  };
  expect(await says("--har", "/nowhere/o.har")).toEqual([1, "l7prof: --har: cannot write /nowhere/o.har: ENOENT"]);
  expect(await says("--prometheus", `${otlp.port}`)).toEqual([
    1,
    `l7prof: --prometheus: cannot listen on 127.0.0.1 port ${otlp.port}: EADDRINUSE`,
  ]);
});

interface Entry {
  readonly startedDateTime: string;
  readonly time: number;
  readonly request: { readonly method: string; readonly url: string; readonly bodySize: number };
  readonly response: { readonly status: number; readonly bodySize: number };
}

function har() {
  return JSON.parse(readFileSync(all.files.har, "utf8"));
}

function tshark(args: readonly string[]): string[][] {
  return tsharkOf(all.files.pcap, args);
}

function tsharkOf(file: string, args: readonly string[]): string[][] {
  const out = execFileSync("tshark", ["-r", file, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const lines = out.replace(/\n$/, "").split("\n");
  return lines.map((line) => line.split("\t"));
}

/** tshark's `seconds.nanoseconds`. */
function packetUs(time: string): number {
  const [seconds, nanos] = time.split(".").map(Number);
  return seconds! * 1e6 + Math.round(nanos! / 1000);
}

/** An event of a sample as the NDJSON has it. */
function eventOf(sample: Sample, index: number) {
  return sample.events[index] as unknown as {
    start: string;
    end: string;
    tags: Record<string, string>;
    summary: Record<string, number>;
  };
}

function epochUs(time: string): number {
  return Date.parse(`${time.slice(0, 19)}Z`) * 1000 + Number(time.slice(20, 26));
}
