/**
 * SkyWalking Cross Process Propagation Headers Protocol v3:
 * `sample-traceId-segmentId-spanId-service-instance-endpoint-address`, all but the sample flag and the span id in base64.
 *
 * SkyWalking numbers spans within their segment (the work of one process for the trace), so only the two together name
 * the span: `${segmentId}-${spanId}`. Ids are opaque strings, case included.
 */
import type { Header } from "../profile/sample.ts";
import { decodeBase64, type Found, headerValue, problem } from "./reading.ts";

const FIELDS = ["trace id", "segment id", "service", "instance", "endpoint", "address"] as const;

export function readSw8(headers: readonly Header[]): Found {
  const value = headerValue(headers, "sw8");
  if (typeof value !== "string") return value;
  const fields = value.split("-");
  const [sample, traceId = "", segmentId = "", spanIndex = "", ...texts] = fields;
  if (fields.length !== 8) return problem("sw8", `${fields.length} fields where 8 are due`);
  if (sample !== "0" && sample !== "1") return problem("sw8", "the sample flag is neither 0 nor 1");
  if (!/^\d{1,10}$/.test(spanIndex)) return problem("sw8", "the span id is no number");
  const decoded = [traceId, segmentId, ...texts].map(decodeBase64);
  const broken = decoded.indexOf(null);
  if (broken !== -1) return problem("sw8", `the ${FIELDS[broken]} is not base64 of text`);
  const [trace, segment, service, instance, endpoint, address] = decoded as string[];
  if (trace === "" || segment === "") return problem("sw8", `the ${trace === "" ? "trace" : "segment"} id is empty`);
  return {
    system: "skywalking",
    traceId: trace!,
    spanId: `${segment}-${spanIndex}`,
    parentSpanId: null,
    sampled: sample === "1",
    caller: {
      segmentId: segment!,
      spanIndex: Number(spanIndex),
      service: service!,
      instance: instance!,
      endpoint: endpoint!,
      address: address!,
    },
  };
}
