/** W3C Trace Context: `traceparent` (3.2), with `tracestate` (3.3) as it came. */
import type { Header } from "../profile/sample.ts";
import { type Found, headerValue, headerValues, isZero, problem } from "./reading.ts";

/** `version-traceId-spanId-flags`. Versions after 00 may append fields, 00 may not, ff is invalid (3.2.2). */
export function readTraceparent(headers: readonly Header[]): Found {
  const value = headerValue(headers, "traceparent");
  if (typeof value !== "string") return value;
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/i.exec(value);
  if (!match) return problem("traceparent", "not version-traceid-parentid-flags in hex");
  const [, version = "", traceId = "", spanId = "", flags = "", more] = match;
  if (/^ff$/i.test(version)) return problem("traceparent", "version ff is forbidden");
  if (version === "00" && more !== undefined) return problem("traceparent", "version 00 has no more than 4 fields");
  if (isZero(traceId) || isZero(spanId)) return problem("traceparent", "an id is zero");
  // Several headers are one list (3.3.1).
  const state = headerValues(headers, "tracestate").filter(Boolean).join(",");
  return {
    system: "w3c",
    traceId: traceId.toLowerCase(),
    spanId: spanId.toLowerCase(),
    parentSpanId: null,
    sampled: (Number.parseInt(flags, 16) & 1) === 1,
    ...(state === "" ? {} : { state }),
  };
}
