/** Any profile that the types allow, with the strings that an attacker would send. */
import fc, { type Arbitrary } from "fast-check";
import type { BothSidesProfile, EdgeProfile, TcpProfile } from "../../src/core/profile/edge.ts";
import type { Distribution, Metrics, StatusCounts } from "../../src/core/profile/figures.ts";
import type { Sample, SampledMessage } from "../../src/core/profile/sample.ts";
import type { Summary, Window } from "../../src/core/profile/window.ts";
import type { Parts } from "./fixture.ts";

const HOSTILE = [
  "\u001b[2J",
  "\u009b31m",
  "\u202e",
  "\u2066",
  "\u200b",
  "\u2028",
  "\ud800",
  "\r\n",
  "\t",
  "\0",
  "日本",
  "e\u0301",
  "🙂",
];

/** Any UTF-16 at all, and enough of what is dangerous. */
const text: Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.nat(0xffff).map((unit) => String.fromCharCode(unit)),
      fc.constantFrom(...HOSTILE),
    ),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(""));

const count = fc.oneof(fc.nat(10_000), fc.maxSafeNat());
const quantity = fc.oneof(fc.nat(10_000), fc.double({ min: 0, max: 1e13, noNaN: true }));
const timeUs = fc.nat(2_000_000_000).map((seconds) => seconds * 1e6 + 123_456);
const instant = fc.record({ seconds: fc.nat(2_000_000_000), nanos: fc.nat(999_999_999) });
const pid = fc.nat(4_194_304);
const orNull = <T>(arbitrary: Arbitrary<T>) => fc.option(arbitrary, { nil: null });

const distribution: Arbitrary<Distribution> = fc.record({
  count,
  sum: quantity,
  min: quantity,
  max: quantity,
  mean: quantity,
  p50: quantity,
  p75: quantity,
  p90: quantity,
  p95: quantity,
  p99: quantity,
});

const statuses: Arbitrary<StatusCounts> = fc.dictionary(fc.integer({ min: 100, max: 999 }).map(String), count, {
  maxKeys: 6,
});

const metrics = {
  requests: count,
  cpm: quantity,
  statuses,
  requestBytes: distribution,
  responseBytes: distribution,
  durationMs: distribution,
  ttfbMs: distribution,
} satisfies { [K in keyof Metrics]: Arbitrary<Metrics[K]> };

const ends = {
  side: fc.constantFrom("server", "client"),
  process: fc.record({ pid, comm: text }),
  peer: fc.record({ pid: orNull(pid), comm: orNull(text), address: text, port: orNull(fc.nat(65_535)) }),
  protocol: fc.constantFrom("http", "https"),
} as const;

const tcp: Arbitrary<TcpProfile> = fc.record({
  readBytes: count,
  readCalls: count,
  writtenBytes: count,
  writeCalls: count,
  connects: count,
  accepts: count,
  closes: count,
  resets: count,
  aborts: count,
  timeouts: count,
  failedConnects: count,
  retransmits: count,
  openConnections: count,
  connectMs: distribution,
  srttMs: distribution,
  rttvarMs: distribution,
});

const bothSides: Arbitrary<BothSidesProfile> = fc.record({
  exchanges: count,
  clientMs: distribution,
  serverMs: distribution,
  transitMs: distribution,
});

const edge: Arbitrary<EdgeProfile> = fc.record({
  tcp,
  bothSides,
  ...ends,
  ...metrics,
  inFlight: count,
  statusCpm: fc.dictionary(fc.integer({ min: 100, max: 999 }).map(String), quantity, { maxKeys: 3 }),
  endpoints: fc.array(fc.record({ method: text, uri: text, ...metrics }), { maxLength: 12 }),
  groups: fc.array(fc.record({ key: text, ...metrics }), { maxLength: 3 }),
});

const message = {
  version: text,
  headers: fc.array(fc.tuple(text, text), { maxLength: 4 }),
  bytes: count,
  headerBytes: count,
  bodyBytes: count,
  body: text,
  bodyEncoding: fc.constantFrom("utf8", "base64"),
  truncated: fc.boolean(),
} satisfies { [K in keyof SampledMessage]: Arbitrary<SampledMessage[K]> };

const sample: Arbitrary<Sample> = fc.record({
  timeUs,
  reasons: fc.subarray(["slow", "4xx", "5xx"] as const, { minLength: 1 }),
  rule: orNull(text),
  ...ends,
  durationMs: quantity,
  ttfbMs: quantity,
  request: fc.record({ method: text, uri: text, ...message }),
  response: fc.record({ status: fc.integer({ min: 100, max: 999 }), reason: text, ...message }),
  bothSides: fc.record({ clientMs: quantity, serverMs: quantity, transitMs: quantity }),
  trace: orNull(
    fc.record({
      system: fc.constantFrom("w3c", "b3", "skywalking", "jaeger", "xray", "datadog"),
      traceId: text,
      spanId: text,
      parentSpanId: orNull(text),
      sampled: orNull(fc.boolean()),
    }),
  ),
  traceProblems: fc.array(fc.record({ header: text, problem: text }), { maxLength: 2 }),
  events: fc.array(
    fc.record({
      name: fc.constant("HTTP Request Sampling"),
      start: instant,
      end: instant,
      tags: fc.dictionary(text, text),
      summary: fc.dictionary(text, count),
    }),
    { maxLength: 2 },
  ),
});

const window: Arbitrary<Window> = fc.record({
  timeUs,
  windowMs: quantity,
  edges: fc.array(edge, { maxLength: 7 }),
  capture: fc.record({
    events: count,
    lostEvents: count,
    seenBytes: count,
    capturedBytes: count,
    requests: count,
    responses: count,
    exchanges: count,
    unansweredRequests: count,
    orphanResponses: count,
    unparsedMessages: count,
    tunnelBytes: count,
    coverage: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
});

const samples = fc.array(sample, { maxLength: 3 });

const summary: Arbitrary<Summary> = fc
  .tuple(
    window,
    fc.constantFrom("signal", "end-of-file"),
    fc.record({ slow: samples, "4xx": samples, "5xx": samples }),
    count,
  )
  .map(([window, ended, top, samplesHeldBack]) => ({ ...window, ended, top, samplesHeldBack }));

/** One of everything but the warning, which is one line however long. */
export const parts: Arbitrary<Omit<Parts, "warning">> = fc.record({
  start: fc.record({
    timeUs,
    l7prof: fc.constant("0.1.0"),
    targets: fc.array(
      fc.oneof(fc.record({ pid: fc.integer({ min: 1, max: 4_194_304 }), comm: text }), fc.record({ cgroup: text })),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
    rules: fc.array(
      fc.record({
        uriRegex: orNull(text),
        slowMs: orNull(quantity),
        on4xx: fc.boolean(),
        on5xx: fc.boolean(),
        keep: fc.constantFrom("both", "none"),
        maxRequestBytes: count,
        maxResponseBytes: count,
      }),
      { minLength: 1, maxLength: 3 },
    ),
  }),
  metrics: window,
  sample,
  summary,
});

export const warning = fc.record({ timeUs, code: fc.constant("tls-unreadable"), message: text });
