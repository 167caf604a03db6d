/** The trace context of a request. */

/** Whose headers: W3C Trace Context, B3 (Zipkin), sw8 (SkyWalking), uber-trace-id, X-Amzn-Trace-Id, x-datadog-*. */
export type TraceSystem = "w3c" | "b3" | "skywalking" | "jaeger" | "xray" | "datadog";

/** Ids as the system itself writes them. */
export interface TraceContext {
  readonly system: TraceSystem;
  readonly traceId: string;
  /** The caller's span; "" where the header names a trace alone (X-Ray, Datadog). */
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly sampled: boolean | null;
  /** B3 and Jaeger: the trace is to be kept whatever samplers say. */
  readonly debug?: boolean;
  /** W3C: `tracestate` as it came. */
  readonly state?: string;
  /** SkyWalking: the caller as sw8 tells of it. */
  readonly caller?: TraceCaller;
}

export interface TraceCaller {
  readonly segmentId: string;
  /** The number of the span in its segment. */
  readonly spanIndex: number;
  readonly service: string;
  readonly instance: string;
  readonly endpoint: string;
  /** Where the caller sent the request. */
  readonly address: string;
}

/** A header that looks like a trace context and is none. */
export interface TraceProblem {
  /** In lower case. */
  readonly header: string;
  readonly problem: string;
}
