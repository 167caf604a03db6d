/**
 * Datadog's headers: `x-datadog-trace-id` (the low 64 bits) and `x-datadog-parent-id` in decimal, `x-datadog-sampling-
 * priority` (above 0: kept), and in `x-datadog-tags` perhaps `_dd.p.tid`, the high 64 bits of the trace id in hex.
 * Datadog writes a 64-bit trace id in decimal and a longer one as 32 hex digits; so do we.
 */
import type { Header } from "../profile/sample.ts";
import { type Found, headerValue, problem } from "./reading.ts";

const TRACE_ID = "x-datadog-trace-id";
const MAX_ID = 2n ** 64n - 1n;

export function readDatadog(headers: readonly Header[]): Found {
  const value = headerValue(headers, TRACE_ID);
  if (typeof value !== "string") return value;
  const low = decimal(value);
  if (low === null) return problem(TRACE_ID, "not a decimal number of 64 bits above 0");
  const parent = headerValue(headers, "x-datadog-parent-id");
  // 0 and none: the trace begins with a service that is no part of it (synthetics, browser monitoring).
  const spanId = parent === null || parent === "0" ? "" : typeof parent === "string" ? decimal(parent) : null;
  if (spanId === null) return problem("x-datadog-parent-id", "not a decimal number of 64 bits");
  const tags = headerValue(headers, "x-datadog-tags");
  const high = typeof tags === "string" ? /(?:^|,)\s*_dd\.p\.tid=([0-9a-f]{16})(?:,|$)/i.exec(tags)?.[1] : undefined;
  const priority = headerValue(headers, "x-datadog-sampling-priority");
  return {
    system: "datadog",
    traceId:
      high === undefined || /^0+$/.test(high) ? low : high.toLowerCase() + BigInt(low).toString(16).padStart(16, "0"),
    spanId,
    parentSpanId: null,
    sampled: typeof priority === "string" && /^-?\d$/.test(priority) ? Number(priority) > 0 : null,
  };
}

function decimal(text: string): string | null {
  if (!/^\d{1,20}$/.test(text)) return null;
  const id = BigInt(text);
  return id > 0n && id <= MAX_ID ? id.toString() : null;
}
