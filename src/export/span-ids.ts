/** Ids of spans in hex, for the backends that want them so, and ids for spans of our own. */
import { createHash } from "node:crypto";
import type { Sample } from "../core/profile/sample.ts";
import type { TraceContext } from "../core/profile/trace.ts";
import { bitsOfTraceId } from "../core/trace/trace-id.ts";

export interface SpanIds {
  /** 16 or 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
}

/** The caller's span. Null where the ids are no numbers (SkyWalking) or there is no span (X-Ray, Datadog). */
export function callerSpan(trace: TraceContext): SpanIds | null {
  const traceId = hexTraceId(trace);
  if (traceId === null || trace.spanId === "") return null;
  const spanId = trace.system === "datadog" ? BigInt(trace.spanId).toString(16) : trace.spanId;
  return { traceId, spanId: spanId.padStart(16, "0") };
}

/** 16 digits if it has no more; of X-Ray all 32. */
export function hexTraceId(trace: TraceContext): string | null {
  const bits = bitsOfTraceId(trace);
  if (bits === null || bits === 0n) return null;
  const isLong = trace.system === "datadog" ? bits >= 1n << 64n : trace.traceId.length > 16;
  return bits.toString(16).padStart(isLong ? 32 : 16, "0");
}

/** For a span of our own. The same exchange gets the same ids again, so that a replay does not double it. */
export function ownIds({ wire, process, request, timeUs }: Sample): SpanIds {
  const what = JSON.stringify([
    wire?.connection,
    wire?.start,
    wire?.request.position,
    process.pid,
    request.uri,
    timeUs,
  ]);
  const hash = createHash("sha256").update(what).digest("hex");
  return { traceId: hash.slice(0, 32), spanId: hash.slice(32, 48) };
}
