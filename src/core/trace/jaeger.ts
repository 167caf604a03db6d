/**
 * Jaeger's `uber-trace-id`: `{trace-id}:{span-id}:{parent-span-id}:{flags}` in hex, as they are or percent-encoded.
 * Leading zeros may be left out, and Jaeger shows ids with them: 16 digits, or 32 for a trace id longer than that.
 */
import type { Header } from "../profile/sample.ts";
import { type Found, headerValue, isZero, problem } from "./reading.ts";

const SAMPLED = 1;
const DEBUG = 2;

export function readUberTraceId(headers: readonly Header[]): Found {
  const value = headerValue(headers, "uber-trace-id");
  if (typeof value !== "string") return value;
  const match = /^([0-9a-f]{1,32}):([0-9a-f]{1,16}):([0-9a-f]{1,16}):([0-9a-f]{1,2})$/i.exec(
    value.replace(/%3a/gi, ":"),
  );
  if (!match) return problem("uber-trace-id", "not traceid:spanid:parentid:flags in hex");
  const [, traceId = "", spanId = "", parent = "", flags = ""] = match;
  if (isZero(traceId) || isZero(spanId)) return problem("uber-trace-id", "an id is zero");
  const bits = Number.parseInt(flags, 16);
  return {
    system: "jaeger",
    traceId: padded(traceId),
    spanId: padded(spanId),
    parentSpanId: isZero(parent) ? null : padded(parent),
    sampled: (bits & SAMPLED) !== 0,
    // "only if sampled" (Jaeger client libraries, Flags)
    ...((bits & (SAMPLED | DEBUG)) === (SAMPLED | DEBUG) ? { debug: true } : {}),
  };
}

function padded(id: string): string {
  return id.toLowerCase().padStart(id.length > 16 ? 32 : 16, "0");
}
