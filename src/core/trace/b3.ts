/**
 * B3 propagation (openzipkin/b3-propagation), in one header or in several. Ids are hex and come out in lower case, 64-bit
 * trace ids as they are: Zipkin pads neither. A decision without ids (`b3: 0`, `X-B3-Sampled` alone) names no trace.
 */
import type { Header } from "../profile/sample.ts";
import { type Found, headerValue, isZero, problem } from "./reading.ts";

const TRACE_ID = /^[0-9a-f]{16}(?:[0-9a-f]{16})?$/i;
const SPAN_ID = /^[0-9a-f]{16}$/i;

/** `traceId-spanId[-sampled[-parentSpanId]]`, or the decision alone. */
export function readB3(headers: readonly Header[]): Found {
  const value = headerValue(headers, "b3");
  if (typeof value !== "string" || /^[01d]$/i.test(value)) return typeof value === "string" ? null : value;
  const [traceId = "", spanId = "", sampled, parent, ...more] = value.split("-");
  if (more.length > 0) return problem("b3", "more than 4 fields");
  if (sampled !== undefined && !/^[01d]$/i.test(sampled)) return problem("b3", "the sampling state is none of 0, 1, d");
  if (parent !== undefined && !SPAN_ID.test(parent)) return problem("b3", "the parent span id is not 16 hex digits");
  return b3("b3", traceId, spanId, sampled, parent);
}

/** `X-B3-TraceId`, `X-B3-SpanId`, and perhaps ParentSpanId, Sampled and Flags (1 is debug). */
export function readB3Headers(headers: readonly Header[]): Found {
  const traceId = headerValue(headers, "x-b3-traceid");
  const spanId = headerValue(headers, "x-b3-spanid");
  if (traceId === null && spanId === null) return null;
  if (traceId === null || spanId === null) {
    const [there, missing] = traceId === null ? ["spanid", "x-b3-traceid"] : ["traceid", "x-b3-spanid"];
    return problem(`x-b3-${there}`, `there is no ${missing}`);
  }
  if (typeof traceId !== "string") return traceId;
  if (typeof spanId !== "string") return spanId;
  const parent = headerValue(headers, "x-b3-parentspanid");
  const sampled = headerValue(headers, "x-b3-sampled");
  const isParentFit = typeof parent === "string" && SPAN_ID.test(parent);
  const decision = headerValue(headers, "x-b3-flags") === "1" ? "d" : typeof sampled === "string" ? sampled : "";
  return b3("x-b3-traceid", traceId, spanId, decision, isParentFit ? parent : undefined);
}

function b3(header: string, traceId: string, spanId: string, sampled = "", parentSpanId?: string): Found {
  if (!TRACE_ID.test(traceId)) return problem(header, "the trace id is not 16 or 32 hex digits");
  if (!SPAN_ID.test(spanId)) return problem(header, "the span id is not 16 hex digits");
  if (isZero(traceId) || isZero(spanId)) return problem(header, "an id is zero");
  const decision = sampled.toLowerCase();
  return {
    system: "b3",
    traceId: traceId.toLowerCase(),
    spanId: spanId.toLowerCase(),
    parentSpanId: parentSpanId?.toLowerCase() ?? null,
    sampled: SAMPLED.get(decision) ?? null,
    ...(decision === "d" ? { debug: true } : {}),
  };
}

/** `d` is debug, which implies sampled; `true` and `false` are what early tracers sent. */
const SAMPLED = new Map([
  ["1", true],
  ["d", true],
  ["true", true],
  ["0", false],
  ["false", false],
]);
