/** Which exchanges become samples, and what a sample shows. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Sample } from "../../src/core/profile/sample.ts";
import type { SamplingRule } from "../../src/core/profile/start.ts";
import type { ProfilerOptions } from "../../src/core/profiler.ts";
import { answer, chunked, get, request } from "./messages.ts";
import { DEFAULT_RULE, type Profiling, SAMPLE_ALL, startProfiling } from "./profiling.ts";

const NEVER: SamplingRule = { ...DEFAULT_RULE, slowMs: null, on4xx: false, on5xx: false };

interface Ask {
  readonly uri?: string;
  readonly status?: number;
  readonly durationMs?: number;
  readonly remote?: string;
}

/** One exchange on a connection of its own, `durationMs` long. */
function ask({ wire }: Profiling, { uri = "/", status = 200, durationMs = 1, remote = "10.0.0.2:999" }: Ask): void {
  const c = wire.connection({ remote }).read(get(uri));
  wire.wait(durationMs - 1);
  c.write(answer(status)).close();
}

function reasonsOf(options: Partial<ProfilerOptions>, asks: readonly Ask[]): (readonly [string, ...string[]])[] {
  const profiling = startProfiling(options);
  for (const each of asks) ask(profiling, each);
  return profiling.samples.map(({ request, reasons, rule }) => [request.uri, ...reasons, String(rule)]);
}

describe("rules", () => {
  it("the default rule: slow, 4xx and 5xx; two conditions are one sample with two reasons", () => {
    const asks = [
      { uri: "/fast" },
      { uri: "/just-not-slow", durationMs: 999 },
      { uri: "/just-slow", durationMs: 1000 },
      { uri: "/399", status: 399 },
      { uri: "/400", status: 400 },
      { uri: "/499", status: 499 },
      { uri: "/500", status: 500, durationMs: 2000 },
      { uri: "/599", status: 599 },
      { uri: "/600", status: 600 },
    ];
    expect(reasonsOf({ rules: [DEFAULT_RULE] }, asks)).toEqual([
      ["/just-slow", "slow", "null"],
      ["/400", "4xx", "null"],
      ["/499", "4xx", "null"],
      ["/500", "slow", "5xx", "null"],
      ["/599", "5xx", "null"],
    ]);
  });

  it("the first that matches wins, and alone decides; the regex does not see the query", () => {
    const rules = [
      { ...NEVER, uriRegex: "^/api/health" },
      { ...NEVER, uriRegex: "^/api/", on4xx: true },
      { ...NEVER, uriRegex: "health", on5xx: true },
      { ...NEVER, slowMs: 10 },
    ];
    const asks = [
      { uri: "/api/health", status: 500, durationMs: 50 },
      { uri: "/api/a?health", status: 404, durationMs: 50 },
      { uri: "/api/b", status: 500, durationMs: 50 },
      { uri: "/x/health", status: 503 },
      { uri: "/x?health", status: 503 },
      { uri: "/y", status: 200, durationMs: 10 },
    ];
    expect(reasonsOf({ rules }, asks)).toEqual([
      ["/api/a?health", "4xx", "^/api/"],
      ["/x/health", "5xx", "health"],
      ["/y", "slow", "null"],
    ]);
  });
});

describe("the slowest of each reason of each edge", () => {
  const ends = ["10.0.0.2:1", "10.0.0.3:1"];
  const asks = fc.array(
    fc.record({
      durationMs: fc.integer({ min: 1, max: 40 }),
      status: fc.constantFrom(200, 404, 500),
      remote: fc.constantFrom(...ends),
    }),
    { maxLength: 60, size: "max" },
  );

  it("are exactly the first of all, sorted, whatever was shown live", () => {
    fc.assert(
      fc.property(asks, fc.integer({ min: 0, max: 5 }), fc.constantFrom(0, 2, 1000), (asks, topN, perSecond) => {
        const rules = [{ ...DEFAULT_RULE, slowMs: 5 }];
        const profiling = startProfiling({ rules, topN, maxSamplesPerSecond: perSecond });
        const numbered = asks.map((each, i) => ({ ...each, uri: `/${i}` }));
        for (const each of numbered) ask(profiling, each);
        const { top } = profiling.profiler.total(0, 1);
        const meets = {
          slow: (each: (typeof numbered)[number]) => each.durationMs >= 5,
          "4xx": (each: (typeof numbered)[number]) => each.status === 404,
          "5xx": (each: (typeof numbered)[number]) => each.status === 500,
        };
        for (const reason of ["slow", "4xx", "5xx"] as const) {
          for (const end of ends) {
            const expected = numbered
              .filter((each) => each.remote === end && meets[reason](each))
              .sort((a, b) => b.durationMs - a.durationMs)
              .slice(0, topN)
              .map(({ uri }) => uri);
            const ofEdge = top[reason].filter(({ peer }) => end.startsWith(peer.address));
            expect(ofEdge.map(({ request }) => request.uri)).toEqual(expected);
          }
          const durations = top[reason].map(({ durationMs }) => durationMs);
          expect(durations).toEqual([...durations].sort((a, b) => b - a));
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe("maxSamplesPerSecond", () => {
  it("bounds what is given in each second and counts what it held back", () => {
    const profiling = startProfiling({ maxSamplesPerSecond: 3, topN: 1 });
    profiling.wire.timeNs = 5e12;
    for (let i = 0; i < 10; i++) ask(profiling, { uri: `/${i}` });
    expect(profiling.samples.map(({ request }) => request.uri)).toEqual(["/0", "/1", "/2"]);
    profiling.wire.timeNs = 5.001e12;
    for (let i = 10; i < 12; i++) ask(profiling, { uri: `/${i}` });
    expect(profiling.samples.map(({ request }) => request.uri).slice(3)).toEqual(["/10", "/11"]);
    expect(profiling.profiler.total(0, 1).samplesHeldBack).toBe(7);
  });

  it("0: none is given, all are counted, the slowest are in the summary", () => {
    const profiling = startProfiling({ maxSamplesPerSecond: 0, topN: 2 });
    for (let i = 1; i <= 5; i++) ask(profiling, { durationMs: i });
    const { top, samplesHeldBack } = profiling.profiler.total(0, 1);
    expect([profiling.samples.length, samplesHeldBack, top.slow.map(({ durationMs }) => durationMs)]).toEqual([
      0,
      5,
      [5, 4],
    ]);
  });
});

describe("onlyTraced", () => {
  const traceparent = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  it("keeps samples with a trace context, live and in the summary; the others count for nothing", () => {
    const profiling = startProfiling({ onlyTraced: true, maxSamplesPerSecond: 2 });
    const c = profiling.wire.connection();
    for (let i = 0; i < 6; i++) c.read(i % 2 === 0 ? get(`/${i}`) : get(`/${i}`, traceparent)).write(answer(200));
    expect(profiling.samples.map(({ request }) => request.uri)).toEqual(["/1", "/3"]);
    const { top, samplesHeldBack } = profiling.profiler.total(0, 1);
    expect(top.slow.map(({ request }) => request.uri).sort()).toEqual(["/1", "/3", "/5"]);
    expect(samplesHeldBack).toBe(1);
  });

  it("finds it in a request that the rule does not keep", () => {
    const rules = [{ ...SAMPLE_ALL, keep: "none" as const }];
    const profiling = startProfiling({ onlyTraced: true, rules });
    profiling.wire.connection().read(get("/", traceparent)).write(answer(200));
    expect(profiling.samples).toMatchObject([
      { trace: { system: "w3c", traceId: "0af7651916cd43dd8448eb211c80319c" }, request: { headers: [] } },
    ]);
  });
});

describe("what is kept", () => {
  function sampleOf(asked: string, answered: string, rule: Partial<SamplingRule> = {}, showSecrets = false): Sample {
    const profiling = startProfiling({ rules: [{ ...SAMPLE_ALL, ...rule }], showSecrets });
    profiling.wire.connection().read(asked).write(answered);
    return profiling.samples[0]!;
  }
  const upload = request("POST", "/a?q=1", "question", "X-A: 1");
  const download = answer(200, "the answer", "X-B: 2");

  it("all of it", () => {
    expect(sampleOf(upload, download)).toMatchObject({
      request: {
        ...{ method: "POST", uri: "/a?q=1", version: "1.1", body: "question", bodyEncoding: "utf8", truncated: false },
        headers: [
          ["Host", "h"],
          ["Content-Length", "8"],
          ["X-A", "1"],
        ],
      },
      response: {
        ...{ status: 200, reason: "Reason", body: "the answer", truncated: false },
        headers: [
          ["Content-Length", "10"],
          ["X-B", "2"],
        ],
      },
    });
  });

  it.each([
    ["request", true, false],
    ["response", false, true],
    ["both", true, true],
    ["none", false, false],
  ] as const)("keep %s", (keep, request, response) => {
    const sample = sampleOf(upload, download, { keep });
    expect(sample.request).toMatchObject({ method: "POST", uri: "/a?q=1", bytes: upload.length, truncated: !request });
    expect(sample.response).toMatchObject({
      status: 200,
      reason: "Reason",
      bytes: download.length,
      truncated: !response,
    });
    expect([sample.request.headers.length > 0, sample.request.body]).toEqual([request, request ? "question" : ""]);
    expect([sample.response.headers.length > 0, sample.response.body]).toEqual([
      response,
      response ? "the answer" : "",
    ]);
  });

  it.each([0, 1, 20, upload.length - 8, upload.length - 3, upload.length - 1])(
    "the first %d bytes of a request",
    (maxRequestBytes) => {
      const { request } = sampleOf(upload, download, { maxRequestBytes });
      expect(request).toMatchObject({ method: "POST", uri: "/a?q=1", bytes: upload.length, truncated: true });
      expect(request.body).toBe("question".slice(0, Math.max(0, maxRequestBytes - (upload.length - 8))));
      for (const header of request.headers)
        expect([
          ["Host", "h"],
          ["Content-Length", "8"],
          ["X-A", "1"],
        ]).toContainEqual(header);
    },
  );

  it("another rule's limit is no matter: each sample obeys its own", () => {
    const rules = [
      { ...SAMPLE_ALL, uriRegex: "small", maxResponseBytes: 60 },
      { ...SAMPLE_ALL, maxResponseBytes: 5000 },
    ];
    const profiling = startProfiling({ rules });
    const c = profiling.wire.connection();
    for (const uri of ["/small", "/large"]) c.read(get(uri)).write(answer(200, "x".repeat(1000)));
    const bodies = profiling.samples.map(({ response }) => [response.body.length, response.truncated]);
    expect(bodies).toEqual([
      [60 - (answer(200, "x".repeat(1000)).length - 1000), true],
      [1000, false],
    ]);
  });

  it("what the kernel did not copy is not kept, and what comes after it neither", () => {
    const profiling = startProfiling();
    const c = profiling.wire.connection().read(get("/"));
    const text = answer(200, "0123456789");
    c.write(text, { head: text.length - 6, tail: 2 });
    expect(profiling.samples).toMatchObject([{ response: { body: "0123", bytes: text.length, truncated: true } }]);
  });

  it("a message of many calls is put together again", () => {
    const profiling = startProfiling();
    const c = profiling.wire.connection();
    for (const byte of upload) c.read(byte);
    for (const byte of download) c.write(byte);
    expect(profiling.samples[0]).toMatchObject({ request: { body: "question" }, response: { body: "the answer" } });
  });

  it("pipelined messages, of which the record is gone when they are answered", () => {
    const profiling = startProfiling();
    const c = profiling.wire.connection();
    const asks = ["one", "two", "three"].map((body) => request("POST", `/${body}`, body));
    c.read(asks.join(""));
    for (let i = 0; i < 3; i++) c.write(answer(200));
    expect(profiling.samples.map(({ request }) => request.body)).toEqual(["one", "two", "three"]);
  });

  it("a chunked body without its framing, even if cut", () => {
    const coded = answer(200, null, "Transfer-Encoding: chunked") + chunked("Hello, ", "world");
    expect(sampleOf(upload, coded).response.body).toBe("Hello, world");
    const cut = sampleOf(upload, coded, { maxResponseBytes: coded.length - 9 });
    expect([cut.response.body, cut.response.truncated]).toEqual(["Hello, wor", true]);
  });

  it("bytes that are no UTF-8 as base64", () => {
    const { response } = sampleOf(upload, answer(200, "\x89PNG\r\n\x1a\n\0\xff"));
    expect([response.bodyEncoding, response.body]).toEqual(["base64", "iVBORw0KGgoA/w=="]);
  });

  it("a character that the limit cut in two is left out", () => {
    const body = Buffer.from("a€b").toString("latin1");
    const text = answer(200, body);
    for (const cut of [2, 3]) {
      const { response } = sampleOf(upload, text, { maxResponseBytes: text.length - cut });
      expect([response.bodyEncoding, response.body]).toEqual(["utf8", "a"]);
    }
    expect(sampleOf(upload, text).response.body).toBe("a€b");
  });

  it("half a character where nothing was cut is no UTF-8", () => {
    const { response } = sampleOf(upload, answer(200, "a\xe2\x82"));
    expect([response.bodyEncoding, response.body]).toEqual(["base64", "YeKC"]);
  });

  it("secrets are redacted unless they are asked for", () => {
    const asked = request(
      "POST",
      "/login?user=a&token=s3cret",
      '{"password":"s3cret"}',
      "Authorization: Bearer s3cret",
      "Content-Type: application/json",
    );
    const answered = answer(200, "", "Set-Cookie: id=s3cret");
    expect(JSON.stringify(sampleOf(asked, answered))).not.toContain("s3cret");
    expect(JSON.stringify(sampleOf(asked, answered)).match(/\[redacted\]/g)).toHaveLength(8); // also in the events
    expect(JSON.stringify(sampleOf(asked, answered, {}, true)).match(/s3cret/g)).toHaveLength(8);
  });

  it("the events that a span gets: direction and size of each message", () => {
    const [asked, answered] = sampleOf(upload, download).events;
    expect([asked?.tags, answered?.tags]).toMatchObject([
      { data_size: String(upload.length), data_direction: "inbound" },
      { data_size: String(download.length), data_direction: "outbound" },
    ]);
  });
});
