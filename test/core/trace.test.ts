import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Header, TraceContext } from "../../src/core/profile.ts";
import { traceContext } from "../../src/core/trace.ts";

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
};
const b3: TraceContext = { system: "b3", traceId: T128, spanId: SPAN, parentSpanId: null, sampled: null };
const w3c: TraceContext = { system: "w3c", traceId: T128, spanId: SPAN, parentSpanId: null, sampled: true };

describe("traceContext", () => {
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
    ["b3, debug", [["b3", `${T128}-${SPAN}-d`]], { ...b3, sampled: true }],
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
      { ...b3, sampled: true },
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
    const name = fc.constantFrom("sw8", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "traceparent");
    const value = fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-fd]{0,33}(-[0-9a-f]{0,32}){0,8}$/));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (headers) => {
        const context = traceContext(headers);
        if (context) expect(context.traceId.length * context.spanId.length).toBeGreaterThan(0);
      }),
    );
  });
});
