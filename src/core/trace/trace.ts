/**
 * The trace context that a request carries.
 *
 * With several at once the order is sw8, `b3`, `X-B3-*`, `uber-trace-id`, Datadog, X-Ray, `traceparent`: many libraries
 * send traceparent unasked, the others only where somebody set a tracer up, and they are the ones whose backend will be
 * searched for the id. A header that is malformed is noted, and the next is tried.
 */
import type { Header } from "../profile/sample.ts";
import type { TraceContext, TraceProblem } from "../profile/trace.ts";
import { readB3, readB3Headers } from "./b3.ts";
import { readDatadog } from "./datadog.ts";
import { readUberTraceId } from "./jaeger.ts";
import { isProblem } from "./reading.ts";
import { readSw8 } from "./sw8.ts";
import { readTraceparent } from "./w3c.ts";
import { readXray } from "./xray.ts";

export interface TraceReading {
  readonly trace: TraceContext | null;
  /** The headers that could not be used, of all formats. */
  readonly problems: readonly TraceProblem[];
}

const READERS = [readSw8, readB3, readB3Headers, readUberTraceId, readDatadog, readXray, readTraceparent];

/** Of several contexts, the first that `isWanted` accepts comes before the others. */
export function readTrace(
  headers: readonly Header[],
  isWanted: (context: TraceContext) => boolean = () => true,
): TraceReading {
  const contexts: TraceContext[] = [];
  const problems: TraceProblem[] = [];
  for (const read of READERS) {
    const found = read(headers);
    if (found === null) continue;
    if (isProblem(found)) problems.push(found);
    else contexts.push(found);
  }
  return { trace: contexts.find(isWanted) ?? contexts[0] ?? null, problems };
}
