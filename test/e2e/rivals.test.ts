/**
 * What other tools get wrong in counting and pairing, each a test: by their sources and issues, SkyWalking Rover merges
 * pipelined requests, loses exchanges whose response comes in parts, and knows no HEAD, 204, 304, 1xx, 101 or CONNECT;
 * kyanos leaves one pair of three under pipelining, overflows past 2.147 s and never counts a status; Pixie, OBI,
 * Datadog and Coroot have one request in flight per connection and parse the first 208 to 256 bytes; httpinspect reads
 * the first 512. One run on the real kernel, of a server that says exactly what the script says.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import type { EndpointProfile } from "../../src/core/profile/edge.ts";
import type { Sample } from "../../src/core/profile/sample.ts";
import { record, summaryOf } from "../recording/session.ts";
import { edgesOf, type Result, startL7prof } from "../support/l7prof.ts";
import { inRepo, temporaryDirectory } from "../support/paths.ts";
import { connectRaw, getRequest, type RawConnection } from "../support/raw-client.ts";
import { startServer } from "../support/servers.ts";

const ok = (body: string, ...fields: string[]) =>
  [`HTTP/1.1 200 OK`, `Content-Length: ${body.length}`, ...fields].join("\r\n").concat("\r\n\r\n", body);
const status = (code: number, ...fields: string[]) =>
  [`HTTP/1.1 ${code} Odd`, ...fields].join("\r\n").concat("\r\n\r\n");
const statusOf = (i: number) => 200 + i * 7;
const FINAL = `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`;
const LARGE = 3_000_017;
const LONG_HEAD = `X-Filler: ${"f".repeat(60_000)}`;
const QUANTILES = 101;

/** What the server does, by path. */
const SCRIPTS: Record<string, (string | number | null)[]> = {
  ...Object.fromEntries(
    Array.from({ length: 16 }, (_, i) => [
      `/merge/${i}`,
      [`HTTP/1.1 ${statusOf(i)} Odd\r\nContent-Length: ${i}\r\n\r\n${"b".repeat(i)}`],
    ]),
  ),
  "/three": [ok("3")],
  "/parts": ["HTTP/1.1 200 O", 20, "K\r\nContent-Le", 20, "ngth: 10\r\n\r\n12345", 20, "67890"],
  "/head": [status(200, "Content-Length: 5000")],
  "/204": [status(204)],
  "/304": [status(304, "Content-Length: 77")],
  "/100": [`${status(100)}${status(103, "Link: </a>")}`, 30, FINAL],
  "/101": [status(101, "Upgrade: echo", "Connection: Upgrade"), "frames, not HTTP"],
  "example.test:443": [status(200), getRequest("/inside")],
  "/after": [FINAL],
  "/chunks": [
    `${status(200, "Transfer-Encoding: chunked")}5;ext=1;q="a;b"\r\nhello\r\n`,
    15,
    "6\r\n world\r\n0;last\r\nX-Trailer: 1\r\nX-More: HTTP/1.1 500 No\r\n\r\n",
  ],
  "/until-close": ["HTTP/1.0 200 OK\r\n\r\none ", 15, "two ", 15, "three", null],
  "/large": [ok("L".repeat(LARGE))],
  "/slow": [2300, FINAL],
  "/503": [`HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n`],
  "/quantile": [3, FINAL],
  "/long-head": [ok("body", LONG_HEAD)],
  [`/${"u".repeat(3000)}`]: [FINAL],
  "/open-before": [FINAL],
};

let result: Result;
let samples: readonly Sample[];

const of = (path: string) => samples.filter(({ request }) => request.uri.split("?")[0] === path);
const endpointsOf = (path: string): EndpointProfile[] =>
  edgesOf(result.summary, "server").flatMap(({ endpoints }) => endpoints.filter(({ uri }) => uri === path));
const pairsOf = (...paths: string[]) =>
  paths.flatMap((path) =>
    of(path).map(({ request, response }) => `${request.method} ${request.uri} ${response.status}`),
  );

beforeAll(async () => {
  const file = join(temporaryDirectory(), "scripts.json");
  writeFileSync(file, JSON.stringify(SCRIPTS));
  const server = await startServer("node", [inRepo("test/servers/scripted-server.js"), file]);
  const connect = () => connectRaw({ port: server.port, host: "127.0.0.1" });
  const before = await connect();
  await ask(before, getRequest("/open-before"));
  const flags = ["--raw-uris", "--interval", "0", "--slow", "0", "--max-samples-per-second", "100000"];
  const run = await startL7prof([...flags, "--pid", `${server.pid}`]);
  await ask(before, getRequest("/open-before"));
  await Promise.all(Object.values(SCENARIOS).map((scenario) => scenario(connect)));
  await sleep(200);
  result = await run.finish();
  samples = result.samples;
}, 60_000);

type Connect = () => Promise<RawConnection>;

async function ask(connection: RawConnection, request: string, options = {}): Promise<void> {
  await connection.write(request);
  await connection.response(options);
}

/** One request on a connection of its own, read to the end of the connection or for so long that all has come. */
function once(request: string, isOver: (received: number) => boolean) {
  return async (connect: Connect) => {
    const { socket } = await connect();
    let received = 0;
    await new Promise<void>((resolve) => {
      socket.on("data", (data) => {
        received += data.length;
        if (isOver(received)) resolve();
      });
      socket.on("end", resolve);
      socket.write(request);
    });
  };
}

const SCENARIOS: Record<string, (connect: Connect) => Promise<void>> = {
  async merge(connect) {
    const connection = await connect();
    await connection.write(Array.from({ length: 16 }, (_, i) => getRequest(`/merge/${i}`)).join(""));
    for (let i = 0; i < 16; i++) await connection.response();
  },
  async three(connect) {
    const connection = await connect();
    for (let round = 0; round < 7; round++) {
      await connection.write(["a", "b", "c"].map((query) => getRequest(`/three?${query}${round}`)).join(""));
      for (let i = 0; i < 3; i++) await connection.response();
    }
  },
  async parts(connect) {
    const connection = await connect();
    for (let round = 0; round < 5; round++) await ask(connection, getRequest("/parts"));
  },
  async bodiless(connect) {
    const connection = await connect();
    await ask(connection, getRequest("/head").replace("GET", "HEAD"), { bodiless: true });
    await ask(connection, getRequest("/204"), { bodiless: true });
    await ask(connection, getRequest("/304"), { bodiless: true });
    await ask(connection, getRequest("/after"));
  },
  async interim(connect) {
    const connection = await connect();
    await connection.write(getRequest("/100"));
    for (const expected of [100, 103, 200]) expect((await connection.response()).status).toBe(expected);
  },
  async upgrade(connect) {
    const connection = await connect();
    await connection.write(getRequest("/101", "Connection: Upgrade\r\nUpgrade: echo\r\n"));
    await connection.response({ bodiless: true });
    await connection.bytes("frames, not HTTP".length);
    await connection.close();
  },
  async connect(connect) {
    const connection = await connect();
    await ask(connection, "CONNECT example.test:443 HTTP/1.1\r\nHost: example.test\r\n\r\n", { bodiless: true });
    await connection.bytes(getRequest("/inside").length);
    await connection.close();
  },
  chunks: once(getRequest("/chunks"), (received) => received >= SCRIPTS["/chunks"]!.join("").length - 2),
  untilClose: once(getRequest("/until-close"), () => false),
  large: once(getRequest("/large"), (received) => received >= LARGE + 40),
  async slow(connect) {
    await ask(await connect(), getRequest("/slow"));
  },
  async status(connect) {
    const connection = await connect();
    for (let round = 0; round < 13; round++) await ask(connection, getRequest("/503"));
  },
  async quantile(connect) {
    const connection = await connect();
    for (let round = 0; round < QUANTILES; round++) await ask(connection, getRequest("/quantile"));
  },
  async methods(connect) {
    for (const method of ["PROPFIND", "M-SEARCH", "QUERY", "PURGE"])
      await ask(await connect(), getRequest("/after?method").replace("GET", method));
  },
  async longHeads(connect) {
    const connection = await connect();
    await ask(connection, getRequest(`/${"u".repeat(3000)}`));
    await ask(connection, getRequest("/long-head", `${LONG_HEAD}\r\n`));
  },
};

describe("SkyWalking Rover", () => {
  it("merges pipelined requests of one read into one: here each has its own response", () => {
    const expected = Array.from({ length: 16 }, (_, i) => `GET /merge/${i} ${statusOf(i)}`);
    expect(pairsOf(...Array.from({ length: 16 }, (_, i) => `/merge/${i}`))).toEqual(expected);
    for (let i = 0; i < 16; i++) expect(of(`/merge/${i}`)[0]!.response.bodyBytes).toBe(i);
  });

  it("loses the exchange whose response is not complete yet: here it takes until its last byte", () => {
    expect(pairsOf("/parts")).toEqual(Array(5).fill("GET /parts 200"));
    for (const { durationMs, ttfbMs } of of("/parts")) expect(durationMs - ttfbMs).toBeGreaterThan(55);
  });

  it("knows no HEAD, 204 or 304: here they have no body, and what follows them is read", () => {
    expect(pairsOf("/head", "/204", "/304")).toEqual(["HEAD /head 200", "GET /204 204", "GET /304 304"]);
    for (const path of ["/head", "/204", "/304"]) expect(of(path)[0]!.response.bodyBytes).toBe(0);
    expect(pairsOf("/after")).toContain("GET /after 200");
  });

  it("knows no 1xx: here 100 and 103 are no answers, and time to first byte is that of the one", () => {
    expect(pairsOf("/100")).toEqual(["GET /100 200"]);
    expect(of("/100")[0]!.ttfbMs).toBeGreaterThan(28);
  });

  it("knows no 101: here what follows it is no HTTP", () => {
    expect(pairsOf("/101")).toEqual(["GET /101 101"]);
    expect(result.summary.capture.tunnelBytes).toBe("frames, not HTTP".length + getRequest("/inside").length);
  });

  it("knows no CONNECT: likewise after a 200", () => {
    expect(pairsOf("example.test:443")).toEqual(["CONNECT example.test:443 200"]);
    expect(endpointsOf("/inside")).toEqual([]);
  });

  it("knows no chunk extensions and no trailers: here they belong to the body", () => {
    const [{ response }] = of("/chunks") as [Sample];
    expect(response.body).toBe("hello world");
    expect(response.bytes).toBe(SCRIPTS["/chunks"]!.filter((step) => typeof step === "string").join("").length);
  });

  it("takes one packet for a body that is read until close: here it ends with the connection", () => {
    const [{ response, durationMs, ttfbMs }] = of("/until-close") as [Sample];
    expect([response.body, response.bodyBytes]).toEqual(["one two three", 13]);
    expect(durationMs - ttfbMs).toBeGreaterThan(28);
  });

  it("counts captured bytes: here sizes are those of the message", () => {
    const [{ responseBytes }] = endpointsOf("/large") as [EndpointProfile];
    expect(responseBytes.sum).toBe(ok("L".repeat(LARGE)).length);
    expect(result.summary.capture.capturedBytes).toBeLessThan(result.summary.capture.seenBytes);
  });

  it("never samples a request without a trace context: here every one that meets a rule is a sample", () => {
    const exchanges = edgesOf(result.summary, "server").reduce((sum, { requests }) => sum + requests, 0);
    expect([samples.length, samples.filter(({ trace }) => trace !== null)]).toEqual([exchanges, []]);
  });
});

describe("kyanos", () => {
  it("leaves one pair of three pipelined ones: here it is three, each at its own", () => {
    const expected = Array.from({ length: 7 }, (_, round) => ["a", "b", "c"].map((q) => `GET /three?${q}${round} 200`));
    expect(pairsOf("/three")).toEqual(expected.flat());
  });

  it("overflows past 2.147 s: here a longer duration is what it is", () => {
    const [{ durationMs }] = of("/slow") as [Sample];
    expect(durationMs).toBeGreaterThanOrEqual(2299);
    expect(endpointsOf("/slow")[0]!.durationMs.max).toBeCloseTo(durationMs, 3);
  });

  it("rounds quantiles to powers of two: here they are within 1 % of the true ones", () => {
    const [{ durationMs }] = endpointsOf("/quantile") as [EndpointProfile];
    const sorted = of("/quantile")
      .map((sample) => sample.durationMs)
      .sort((a, b) => a - b);
    for (const [quantile, value] of [
      [0.5, durationMs.p50],
      [0.9, durationMs.p90],
      [0.99, durationMs.p99],
    ] as const) {
      const exact = sorted[Math.ceil(quantile * QUANTILES) - 1]!;
      expect(Math.abs(value / exact - 1)).toBeLessThan(0.01);
    }
  });

  it("never counts a status: here each code is counted", () => {
    expect(endpointsOf("/503")[0]!.statuses).toEqual({ 503: 13 });
  });

  it("knows a connection by GET, HEAD, POST or HTTP alone: here by any method", () => {
    expect(pairsOf("/after").sort()).toEqual(
      [
        "GET /after",
        "M-SEARCH /after?method",
        "PROPFIND /after?method",
        "PURGE /after?method",
        "QUERY /after?method",
      ].map((pair) => `${pair} 200`),
    );
  });
});

describe("Pixie, OBI, Datadog USM, Coroot, httpinspect", () => {
  it("have one request in flight per connection: here the later of a pipeline wait for the earlier", () => {
    const durations = Array.from({ length: 16 }, (_, i) => of(`/merge/${i}`)[0]!.durationMs);
    // All came in one read, and were answered one after the other.
    expect(durations).toEqual(durations.toSorted((a, b) => a - b));
    expect(new Set(of("/three").map(({ response }) => response.status))).toEqual(new Set([200]));
  });

  it("parse the first 208 to 512 bytes: here a head is read whole, wherever its length stands", () => {
    expect(of(`/${"u".repeat(3000)}`)).toHaveLength(1);
    const [{ requestBytes, responseBytes }] = endpointsOf("/long-head") as [EndpointProfile];
    expect(requestBytes.sum).toBe(getRequest("/long-head", `${LONG_HEAD}\r\n`).length);
    expect(responseBytes.sum).toBe(ok("body", LONG_HEAD).length);
  });

  it("miss connections that were open before: here they count from their next message on", () => {
    expect(pairsOf("/open-before")).toEqual(["GET /open-before 200"]);
  });

  it("do not show what they lost: here it is counted, warned of, and coverage is less than 1", () => {
    const { output } = record(({ wire, session }) => {
      wire.connection().read(getRequest("/")).write(FINAL);
      session.onLost(3, 1000);
    });
    expect(summaryOf(output).capture).toMatchObject({ lostEvents: 3, exchanges: 1 });
    expect((summaryOf(output).capture as { coverage: number }).coverage).toBeLessThan(1);
    expect(output).toContain('"code":"lost-events"');
  });
});

it("nothing is missing: all that was sent is counted once, and coverage is 1", () => {
  expect(result.summary.capture).toMatchObject({
    lostEvents: 0,
    coverage: 1,
    unparsedMessages: 0,
    orphanResponses: 0,
    unansweredRequests: 0,
  });
});
