/**
 * AWS X-Ray's `X-Amzn-Trace-Id`: `Root=1-TIME-RANDOM;Parent=SPAN;Sampled=1`, in any order, other fields beside them.
 * The trace id comes out as X-Ray writes it, dashes and version included. A load balancer sends Root alone: then
 * there is a trace and no span, and `spanId` is "".
 */
import type { Header } from "../profile/sample.ts";
import { type Found, headerValue, problem } from "./reading.ts";

const HEADER = "x-amzn-trace-id";

export function readXray(headers: readonly Header[]): Found {
  const value = headerValue(headers, HEADER);
  if (typeof value !== "string") return value;
  const fields = new Map(value.split(";").map(field));
  const root = fields.get("root");
  const parent = fields.get("parent");
  if (root === undefined) return fields.has("self") ? null : problem(HEADER, "there is no Root");
  if (!/^1-[0-9a-f]{8}-[0-9a-f]{24}$/i.test(root)) return problem(HEADER, "Root is not 1-, 8 and 24 hex digits");
  if (parent !== undefined && !/^[0-9a-f]{16}$/i.test(parent)) return problem(HEADER, "Parent is not 16 hex digits");
  const sampled = fields.get("sampled");
  return {
    system: "xray",
    traceId: root.toLowerCase(),
    spanId: parent?.toLowerCase() ?? "",
    parentSpanId: null,
    // `?`: the service that gets it is to decide
    sampled: sampled === "1" ? true : sampled === "0" ? false : null,
  };
}

function field(text: string): readonly [name: string, value: string] {
  const equals = text.indexOf("=");
  if (equals === -1) return ["", ""];
  return [text.slice(0, equals).trim().toLowerCase(), text.slice(equals + 1).trim()];
}
