/**
 * The trace context that a request carries: SkyWalking's sw8, B3 in one header or in several, W3C traceparent.
 *
 * With several at once the order is sw8, `b3`, `X-B3-*`, `traceparent`: many libraries send traceparent unasked, the
 * others only where somebody set a tracer up, and they are the ones whose backend will be searched for the id; B3 names
 * the parent span besides. What is malformed or carries no ids (`b3: 0`) counts as absent.
 *
 * Ids of B3 and W3C are hex and come out in lower case, 64-bit trace ids as they are, without padding. SkyWalking's are
 * opaque strings, case included.
 */
import type { Header, TraceContext } from "./profile.ts";

export function traceContext(headers: readonly Header[]): TraceContext | null {
  return (
    fromSw8(headerOf(headers, "sw8")) ??
    fromB3(headerOf(headers, "b3")) ??
    fromB3Headers(headers) ??
    fromTraceparent(headerOf(headers, "traceparent"))
  );
}

/** Undefined also when the header is there twice: which one holds is anyone's guess, and W3C 3.2 forbids it. */
function headerOf(headers: readonly Header[], name: string): string | undefined {
  const [header, ...others] = headers.filter((h) => h[0].toLowerCase() === name);
  return others.length === 0 ? header?.[1].trim() : undefined;
}

/**
 * `sample-traceId-segmentId-spanId-service-instance-endpoint-address`, all but the sample flag and the span id in
 * base64. SkyWalking numbers spans within their segment (the work of one process for the trace), so only the two
 * together name the span: `${segmentId}-${spanId}`. See SkyWalking Cross Process Propagation Headers Protocol v3.
 */
function fromSw8(value: string | undefined): TraceContext | null {
  const fields = value?.split("-") ?? [];
  const [sample, encodedTraceId = "", encodedSegmentId = "", spanId = ""] = fields;
  if (fields.length !== 8 || (sample !== "0" && sample !== "1") || !/^\d+$/.test(spanId)) return null;
  const traceId = decodeBase64(encodedTraceId);
  const segmentId = decodeBase64(encodedSegmentId);
  if (!traceId || !segmentId) return null;
  return {
    system: "skywalking",
    traceId,
    spanId: `${segmentId}-${spanId}`,
    parentSpanId: null,
    sampled: sample === "1",
  };
}

function decodeBase64(text: string): string | null {
  try {
    return atob(text);
  } catch {
    return null;
  }
}

/** `traceId-spanId[-sampled[-parentSpanId]]`, or the decision alone, which identifies nothing. */
function fromB3(value: string | undefined): TraceContext | null {
  const match = /^([0-9a-f]{16}(?:[0-9a-f]{16})?)-([0-9a-f]{16})(?:-([01d])(?:-([0-9a-f]{16}))?)?$/i.exec(value ?? "");
  return match && b3(match[1]!, match[2]!, match[3], match[4]);
}

function fromB3Headers(headers: readonly Header[]): TraceContext | null {
  const traceId = headerOf(headers, "x-b3-traceid") ?? "";
  const spanId = headerOf(headers, "x-b3-spanid") ?? "";
  if (!/^[0-9a-f]{16}(?:[0-9a-f]{16})?$/i.test(traceId) || !/^[0-9a-f]{16}$/i.test(spanId)) return null;
  const parent = headerOf(headers, "x-b3-parentspanid") ?? "";
  const isDebug = headerOf(headers, "x-b3-flags") === "1";
  const sampled = isDebug ? "d" : headerOf(headers, "x-b3-sampled");
  return b3(traceId, spanId, sampled, /^[0-9a-f]{16}$/i.test(parent) ? parent : undefined);
}

function b3(traceId: string, spanId: string, sampled = "", parentSpanId?: string): TraceContext | null {
  if (isZero(traceId) || isZero(spanId)) return null;
  return {
    system: "b3",
    traceId: traceId.toLowerCase(),
    spanId: spanId.toLowerCase(),
    parentSpanId: parentSpanId?.toLowerCase() ?? null,
    sampled: B3_SAMPLED.get(sampled.toLowerCase()) ?? null,
  };
}

/** `d` is debug, which implies sampled; `true` and `false` are what early tracers sent. */
const B3_SAMPLED = new Map([
  ["1", true],
  ["d", true],
  ["true", true],
  ["0", false],
  ["false", false],
]);

/** `version-traceId-spanId-flags`. Versions after 00 may append fields, 00 may not, ff is invalid: W3C 3.2.2. */
function fromTraceparent(value: string | undefined): TraceContext | null {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/i.exec(value ?? "");
  if (!match) return null;
  const [, version = "", traceId = "", spanId = "", flags = "", more] = match;
  if (/^ff$/i.test(version) || (version === "00" && more !== undefined)) return null;
  if (isZero(traceId) || isZero(spanId)) return null;
  return {
    system: "w3c",
    traceId: traceId.toLowerCase(),
    spanId: spanId.toLowerCase(),
    parentSpanId: null,
    sampled: (Number.parseInt(flags, 16) & 1) === 1,
  };
}

function isZero(id: string): boolean {
  return /^0+$/.test(id);
}
