/** One exchange as evidence. */
import type { Instant } from "./instant.ts";
import type { PeerInfo, ProcessInfo, Protocol, Side } from "./parties.ts";
import type { TraceContext, TraceProblem } from "./trace.ts";
import type { WireSample } from "./wire.ts";

/** One exchange that met a sampling rule: the evidence. */
export interface Sample {
  /** When its response ended. */
  readonly timeUs: number;
  readonly reasons: readonly SampleReason[];
  /** The `--uri-regex` of the rule that sampled it, null for the default rule. */
  readonly rule: string | null;
  readonly side: Side;
  readonly process: ProcessInfo;
  readonly peer: PeerInfo;
  readonly protocol: Protocol;
  readonly durationMs: number;
  readonly ttfbMs: number;
  /** Method, URI, version, status and sizes are there whatever the rule keeps; headers and body only if kept. */
  readonly request: SampledRequest;
  readonly response: SampledResponse;
  readonly trace: TraceContext | null;
  /** Headers of the request that look like a trace context and are none. */
  readonly traceProblems: readonly TraceProblem[];
  /** Where client and server are both profiled; known a little later than the rest. */
  bothSides?: BothSides;
  readonly events: readonly SampleEvent[];
  /** How it went over its connection. Views don't show it; exports need it. */
  readonly wire?: WireSample;
}

/** `trace`: it belongs to the trace of `--trace-id`. */
export type SampleReason = "slow" | "4xx" | "5xx" | "trace";

/** `[name, value]`, in the order and case that went over the connection; secrets redacted. */
export type Header = readonly [name: string, value: string];

export interface SampledMessage {
  /** HTTP version, such as `1.1`. */
  readonly version: string;
  readonly headers: readonly Header[];
  readonly bytes: number;
  readonly headerBytes: number;
  readonly bodyBytes: number;
  /** The kept part of the body without its chunk framing; "" if there is none or it is not kept. */
  readonly body: string;
  /** `base64` when the body is not UTF-8 text; then `body` is base64 of its bytes. */
  readonly bodyEncoding: "utf8" | "base64";
  /** True when the raw data kept is less than the message (size limit, or the kernel did not copy it). */
  readonly truncated: boolean;
}

export interface SampledRequest extends SampledMessage {
  readonly method: string;
  readonly uri: string;
}

export interface SampledResponse extends SampledMessage {
  readonly status: number;
  /** The reason phrase. */
  readonly reason: string;
}

/** One part of an exchange as what a tracing system attaches to a span, in the words of SkyWalking Rover. */
export interface SampleEvent {
  /** `HTTP Request Sampling`, `HTTP Response Sampling`, or `Syscall Read`, `Syscall Writev`, … */
  readonly name: string;
  readonly start: Instant;
  readonly end: Instant;
  readonly tags: Readonly<Record<string, string>>;
  readonly summary: Readonly<Record<string, number>>;
}

/** One exchange as its two sides saw it. */
export interface BothSides {
  readonly clientMs: number;
  readonly serverMs: number;
  /** The difference; of short exchanges it may be a little below zero. */
  readonly transitMs: number;
}
