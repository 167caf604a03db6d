import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Header } from "../../src/core/profile/sample.ts";
import type { TraceContext } from "../../src/core/profile/trace.ts";
import { readTrace } from "../../src/core/trace/trace.ts";
import { traceIdMatcher } from "../../src/core/trace/trace-id.ts";

const T128 = "463ac35c9f6413ad48485a3953bb6124";
const T64 = "a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const PARENT = "05e3ac9a4f6e3b90";
const SW8 = "1-VFJBQ0VJRA==-U0VHTUVOVElE-3-c2VydmljZQ==-aW5zdGFuY2U=-L2FwcA==-MTI3LjAuMC4xOjgwODA=";

const sw8: TraceContext = {
  system: "skywalking",
  traceId: "TRACEID",
  spanId: "SEGMENTID-3",
  parentSpanId: null,
  sampled: true,
  caller: {
    segmentId: "SEGMENTID",
    spanIndex: 3,
    service: "service",
    instance: "instance",
    endpoint: "/app",
    address: "127.0.0.1:8080",
  },
};
const b3: TraceContext = { system: "b3", traceId: T128, spanId: SPAN, parentSpanId: null, sampled: null };
const XRAY = "1-5759e988-bd862e3fe1be46a994272793";
const jaeger: TraceContext = { system: "jaeger", traceId: T128, spanId: SPAN, parentSpanId: null, sampled: true };
const xray: TraceContext = {
  system: "xray",
  traceId: XRAY,
  spanId: "53995c3f42cd8ad8",
  parentSpanId: null,
  sampled: true,
};
const datadog: TraceContext = {
  system: "datadog",
  traceId: "11803532876627986230",
  spanId: "67667974448284343",
  parentSpanId: null,
  sampled: true,
};
const w3c: TraceContext = { system: "w3c", traceId: T128, spanId: SPAN, parentSpanId: null, sampled: true };

const traceContext = (headers: readonly Header[]) => readTrace(headers).trace;

describe("the trace context", () => {
  it.each<[string, Header[], TraceContext | null]>([
    ["nothing", [["Host", "a"]], null],
    ["no headers", [], null],

    ["sw8", [["sw8", SW8]], sw8],
    ["sw8, any case", [["SW8", SW8]], sw8],
    ["sw8, not sampled", [["sw8", SW8.replace("1-", "0-")]], { ...sw8, sampled: false }],
    ["sw8, 7 fields", [["sw8", SW8.slice(0, SW8.lastIndexOf("-"))]], null],
    ["sw8, 9 fields", [["sw8", `${SW8}-x`]], null],
    ["sw8, sample 2", [["sw8", SW8.replace("1-", "2-")]], null],
    ["sw8, span id x", [["sw8", SW8.replace("-3-", "-x-")]], null],
    ["sw8, no base64", [["sw8", SW8.replace("VFJBQ0VJRA==", "%%%")]], null],
    ["sw8, empty trace id", [["sw8", SW8.replace("VFJBQ0VJRA==", "")]], null],
    ["sw8, empty", [["sw8", ""]], null],

    ["b3", [["b3", `${T128}-${SPAN}`]], b3],
    ["b3, 64 bits", [["b3", `${T64}-${SPAN}`]], { ...b3, traceId: T64 }],
    ["b3, sampled", [["B3", `${T128}-${SPAN}-1`]], { ...b3, sampled: true }],
    ["b3, debug", [["b3", `${T128}-${SPAN}-d`]], { ...b3, sampled: true, debug: true }],
    ["b3, denied", [["b3", `${T128}-${SPAN}-0-${PARENT}`]], { ...b3, sampled: false, parentSpanId: PARENT }],
    ["b3, upper case", [["b3", `${T128}-${SPAN}`.toUpperCase()]], b3],
    ["b3, deny alone", [["b3", "0"]], null],
    ["b3, accept alone", [["b3", "1"]], null],
    ["b3, debug alone", [["b3", "d"]], null],
    ["b3, zero", [["b3", `${"0".repeat(32)}-${SPAN}`]], null],
    ["b3, odd length", [["b3", `${T128}0-${SPAN}`]], null],
    ["b3, no span", [["b3", T128]], null],

    [
      "X-B3, ids",
      [
        ["X-B3-TraceId", T128],
        ["X-B3-SpanId", SPAN],
      ],
      b3,
    ],
    [
      "X-B3, all",
      [
        ["X-B3-TraceId", T64],
        ["X-B3-SpanId", SPAN],
        ["X-B3-ParentSpanId", PARENT],
        ["X-B3-Sampled", "1"],
      ],
      { ...b3, traceId: T64, parentSpanId: PARENT, sampled: true },
    ],
    [
      "X-B3, denied",
      [
        ["x-b3-traceid", T128],
        ["x-b3-spanid", SPAN],
        ["x-b3-sampled", "false"],
      ],
      { ...b3, sampled: false },
    ],
    [
      "X-B3, debug",
      [
        ["x-b3-traceid", T128],
        ["x-b3-spanid", SPAN],
        ["x-b3-flags", "1"],
      ],
      { ...b3, sampled: true, debug: true },
    ],
    [
      "X-B3, malformed parent",
      [
        ["x-b3-traceid", T128],
        ["x-b3-spanid", SPAN],
        ["x-b3-parentspanid", "?"],
      ],
      b3,
    ],
    [
      "X-B3, sampled: what?",
      [
        ["x-b3-traceid", T128],
        ["x-b3-spanid", SPAN],
        ["x-b3-sampled", "constructor"],
      ],
      b3,
    ],
    ["X-B3, sampled alone", [["x-b3-sampled", "1"]], null],
    ["X-B3, no span", [["x-b3-traceid", T128]], null],
    [
      "X-B3, short",
      [
        ["x-b3-traceid", "abc"],
        ["x-b3-spanid", SPAN],
      ],
      null,
    ],

    ["traceparent", [["traceparent", `00-${T128}-${SPAN}-01`]], w3c],
    ["traceparent, blanks", [["Traceparent", ` 00-${T128}-${SPAN}-01 `]], w3c],
    ["traceparent, not sampled", [["traceparent", `00-${T128}-${SPAN}-02`]], { ...w3c, sampled: false }],
    ["traceparent, later version", [["traceparent", `01-${T128}-${SPAN}-03-more`]], w3c],
    ["traceparent, 00 with more", [["traceparent", `00-${T128}-${SPAN}-01-more`]], null],
    ["traceparent, version ff", [["traceparent", `ff-${T128}-${SPAN}-01`]], null],
    ["traceparent, zero trace", [["traceparent", `00-${"0".repeat(32)}-${SPAN}-01`]], null],
    ["traceparent, zero span", [["traceparent", `00-${T128}-${"0".repeat(16)}-01`]], null],
    [
      "traceparent, twice",
      [
        ["traceparent", `00-${T128}-${SPAN}-01`],
        ["traceparent", `00-${T128}-${SPAN}-01`],
      ],
      null,
    ],

    [
      "traceparent with tracestate in two headers",
      [
        ["traceparent", `00-${T128}-${SPAN}-01`],
        ["tracestate", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"],
        ["Tracestate", "last=1"],
      ],
      { ...w3c, state: "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7,last=1" },
    ],
    // The examples of the systems' own documentation.
    ["uber-trace-id", [["uber-trace-id", `${T128}:${SPAN}:${PARENT}:1`]], { ...jaeger, parentSpanId: PARENT }],
    [
      "uber-trace-id, no zeros in front",
      [["Uber-Trace-Id", "abc:DEF:0:0"]],
      { ...jaeger, traceId: "0000000000000abc", spanId: "0000000000000def", sampled: false },
    ],
    [
      "uber-trace-id, 17 digits",
      [["uber-trace-id", `1${T64}:${SPAN}:0:1`]],
      { ...jaeger, traceId: `0000000000000001${T64}`.slice(-32).padStart(32, "0") },
    ],
    ["uber-trace-id, encoded", [["uber-trace-id", `${T128}%3A${SPAN}%3a0%3A3`]], { ...jaeger, debug: true }],
    ["uber-trace-id, debug without sampled", [["uber-trace-id", `${T128}:${SPAN}:0:2`]], { ...jaeger, sampled: false }],
    ["uber-trace-id, zero", [["uber-trace-id", `0:${SPAN}:0:1`]], null],
    ["uber-trace-id, 3 fields", [["uber-trace-id", `${T128}:${SPAN}:1`]], null],
    ["X-Ray", [["X-Amzn-Trace-Id", `Root=${XRAY};Parent=53995c3f42cd8ad8;Sampled=1`]], xray],
    [
      "X-Ray, other order and case",
      [["x-amzn-trace-id", `sampled=0; parent=53995C3F42CD8AD8; root=${XRAY}`]],
      { ...xray, sampled: false },
    ],
    [
      "X-Ray, decision deferred, lineage",
      [["X-Amzn-Trace-Id", `Root=${XRAY};Parent=53995c3f42cd8ad8;Sampled=?;Lineage=a87bd80c:1|68fd508a:5`]],
      { ...xray, sampled: null },
    ],
    [
      "X-Ray from a load balancer",
      [["X-Amzn-Trace-Id", `Self=1-67891234-12456789abcdef012345678;Root=${XRAY}`]],
      { ...xray, spanId: "", sampled: null },
    ],
    ["X-Ray, Self alone", [["X-Amzn-Trace-Id", "Self=1-67891234-12456789abcdef012345678"]], null],
    ["X-Ray, version 2", [["X-Amzn-Trace-Id", `Root=2${XRAY.slice(1)}`]], null],
    ["X-Ray, a parent of 15 digits", [["X-Amzn-Trace-Id", `Root=${XRAY};Parent=3995c3f42cd8ad8`]], null],
    [
      "Datadog",
      [
        ["x-datadog-trace-id", "11803532876627986230"],
        ["x-datadog-parent-id", "67667974448284343"],
        ["x-datadog-sampling-priority", "1"],
      ],
      datadog,
    ],
    [
      "Datadog, 128 bits",
      [
        ["x-datadog-trace-id", "11803532876627986230"],
        ["x-datadog-parent-id", "67667974448284343"],
        ["x-datadog-sampling-priority", "2"],
        ["x-datadog-tags", "_dd.p.dm=-1,_dd.p.tid=463ac35c9f6413ad"],
      ],
      { ...datadog, traceId: `463ac35c9f6413ad${T64}` },
    ],
    [
      "Datadog, dropped",
      [
        ["x-datadog-trace-id", "11803532876627986230"],
        ["x-datadog-parent-id", "67667974448284343"],
        ["x-datadog-sampling-priority", "-1"],
      ],
      { ...datadog, sampled: false },
    ],
    [
      "Datadog, no parent, no priority",
      [
        ["x-datadog-trace-id", "11803532876627986230"],
        ["x-datadog-parent-id", "0"],
      ],
      { ...datadog, spanId: "", sampled: null },
    ],
    ["Datadog, 65 bits", [["x-datadog-trace-id", "18446744073709551616"]], null],
    ["Datadog, hex", [["x-datadog-trace-id", T64]], null],
    [
      "sw8 of a service with a name that is not ASCII",
      [["sw8", SW8.replace("c2VydmljZQ==", "5ZWG5bqX")]],
      { ...sw8, caller: { ...sw8.caller!, service: "商店" } },
    ],
    ["sw8, a service that is no UTF-8", [["sw8", SW8.replace("c2VydmljZQ==", "/w==")]], null],
    ["b3, five fields", [["b3", `${T128}-${SPAN}-1-${PARENT}-1`]], null],
    [
      "all: sw8",
      [
        ["traceparent", `00-${T128}-${SPAN}-01`],
        ["b3", `${T64}-${SPAN}`],
        ["sw8", SW8],
      ],
      sw8,
    ],
    [
      "b3 and w3c: b3",
      [
        ["traceparent", `00-${T128}-${SPAN}-01`],
        ["b3", `${T64}-${SPAN}`],
      ],
      { ...b3, traceId: T64 },
    ],
    [
      "malformed sw8, w3c",
      [
        ["sw8", "1-x"],
        ["traceparent", `00-${T128}-${SPAN}-01`],
      ],
      w3c,
    ],
    [
      "b3 without ids, w3c",
      [
        ["b3", "1"],
        ["traceparent", `00-${T128}-${SPAN}-01`],
      ],
      w3c,
    ],
    [
      "b3 without ids, X-B3",
      [
        ["b3", "0"],
        ["x-b3-traceid", T128],
        ["x-b3-spanid", SPAN],
      ],
      b3,
    ],
  ])("%s", (_name, headers, context) => {
    expect(traceContext(headers)).toEqual(context);
  });

  it("never throws, and what it answers has ids", () => {
    const name = fc.constantFrom(
      "sw8",
      "b3",
      "x-b3-traceid",
      "x-b3-spanid",
      "x-b3-sampled",
      "traceparent",
      "uber-trace-id",
      "x-amzn-trace-id",
      "x-datadog-trace-id",
      "x-datadog-parent-id",
    );
    const value = fc.oneof(fc.string(), fc.stringMatching(/^(Root=)?[0-9a-fd]{0,33}([-:][0-9a-f]{0,32}){0,8}$/));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (headers) => {
        const context = traceContext(headers);
        const isSpanless = context?.system === "xray" || context?.system === "datadog";
        if (context) expect(context.traceId.length * (isSpanless ? 1 : context.spanId.length)).toBeGreaterThan(0);
      }),
    );
  });

  it("notes each header that is malformed, and tries the next", () => {
    const reading = readTrace([
      ["sw8", "1-x"],
      ["b3", `${T128}-${SPAN}-2`],
      ["X-B3-TraceId", T128],
      ["uber-trace-id", "x"],
      ["X-Amzn-Trace-Id", "Root=1"],
      ["x-datadog-trace-id", "0"],
      ["traceparent", `00-${T128}-${SPAN}-01`],
      ["traceparent", `00-${T128}-${SPAN}-01`],
    ]);
    expect(reading).toEqual({
      trace: null,
      problems: [
        { header: "sw8", problem: "2 fields where 8 are due" },
        { header: "b3", problem: "the sampling state is none of 0, 1, d" },
        { header: "x-b3-traceid", problem: "there is no x-b3-spanid" },
        { header: "uber-trace-id", problem: "not traceid:spanid:parentid:flags in hex" },
        { header: "x-datadog-trace-id", problem: "not a decimal number of 64 bits above 0" },
        { header: "x-amzn-trace-id", problem: "Root is not 1-, 8 and 24 hex digits" },
        { header: "traceparent", problem: "sent more than once" },
      ],
    });
  });

  it("is the wanted one of several", () => {
    const headers: Header[] = [
      ["b3", `${T64}-${SPAN}`],
      ["traceparent", `00-${T128}-${SPAN}-01`],
    ];
    expect(readTrace(headers, traceIdMatcher(T128)).trace).toEqual(w3c);
    expect(readTrace(headers, traceIdMatcher("1")).trace).toEqual({ ...b3, traceId: T64 });
  });
});

describe("a trace id that the user gives", () => {
  it.each<[string, string, TraceContext, boolean]>([
    ["as it is", T128, w3c, true],
    ["in upper case", T128.toUpperCase(), w3c, true],
    ["another", T128.replace("4", "5"), w3c, false],
    ["its low 64 bits", T128.slice(16), w3c, true],
    ["128 bits of a trace that kept 64", T128, { ...b3, traceId: T128.slice(16) }, true],
    ["without zeros in front", "abc", { ...jaeger, traceId: "0000000000000abc" }, true],
    ["X-Ray's", XRAY, xray, true],
    ["X-Ray's without dashes", XRAY.slice(2).replace("-", ""), xray, true],
    ["Datadog's in decimal", "11803532876627986230", datadog, true],
    ["Datadog's in hex", T64, datadog, true],
    ["Datadog's low half", "11803532876627986230", { ...datadog, traceId: `463ac35c9f6413ad${T64}` }, true],
    ["SkyWalking's", "TRACEID", sw8, true],
    ["SkyWalking's in another case", "traceid", sw8, false],
    ["no id at all", "…", w3c, false],
  ])("%s", (_name, wanted, context, isSame) => {
    expect(traceIdMatcher(wanted)(context)).toBe(isSame);
  });
});
