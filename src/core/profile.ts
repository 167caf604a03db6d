/**
 * The profile: what every output and export reads. Plain readonly data, in the words and units of the
 * NDJSON (schema/), except that times are epoch microseconds, which the outputs format.
 */
import type { SocketCall } from "./calls.ts";

import type { Container } from "./identity.ts";

/** Which end of the connection the profiled process is: it answered (`server`) or it asked (`client`). */
export type Side = "server" | "client";

export type Protocol = "http" | "https";

/** `trace`: it belongs to the trace of `--trace-id`. */
export type SampleReason = "slow" | "4xx" | "5xx" | "trace";

/** The samples of a run by reason; `trace` only with `--trace-id`. */
export interface TopSamples {
  readonly slow: readonly Sample[];
  readonly "4xx": readonly Sample[];
  readonly "5xx": readonly Sample[];
  readonly trace?: readonly Sample[];
}

/** A distribution of one quantity. Quantiles are within 1 % of the true value; all are 0 when `count` is 0. */
export interface Distribution {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  /** `[upperBound, count]`, non-empty buckets only, ascending; present with `--histograms`. */
  readonly buckets?: readonly (readonly [upperBound: number, count: number])[];
}

/** Completed exchanges by status code, the code as text: `{"200": 99, "404": 1}`. */
export type StatusCounts = Readonly<Record<string, number>>;

export interface Metrics {
  /** Completed exchanges. */
  readonly requests: number;
  /** Completed exchanges a minute. */
  readonly cpm: number;
  readonly statuses: StatusCounts;
  /** Bytes that went over the connection for the message: start line, headers, body with its transfer coding. */
  readonly requestBytes: Distribution;
  readonly responseBytes: Distribution;
  readonly durationMs: Distribution;
  readonly ttfbMs: Distribution;
}

export interface EndpointProfile extends Metrics {
  readonly method: string;
  /** The URI template (`/users/{id}`), or the URI without its query with `--raw-uris`, or `(other)`. */
  readonly uri: string;
}

/** An endpoint over all edges, whoever asked: of one program, and where that is the client, of one server it calls. */
export interface EndpointTotal extends EndpointProfile {
  readonly side: Side;
  /** The profiled program. */
  readonly comm: string;
  /** On the client side, the server. */
  readonly called: PeerInfo | null;
}

/** Where a process runs, if that is known. */
export interface Place {
  readonly container?: Container;
  /** Of systemd. */
  readonly unit?: string;
}

export interface ProcessInfo extends Place {
  readonly pid: number;
  readonly comm: string;
}

export interface PeerInfo extends Place {
  readonly pid: number | null;
  readonly comm: string | null;
  /** IP address, or for a unix socket its path (`unix:/run/app.sock`, `unix:` when unnamed). */
  readonly address: string;
  /** The name of the address, if it has one that is known and the process is not. */
  readonly host?: string;
  /** The server's port on a client edge; null on a server edge and for unix sockets. */
  readonly port: number | null;
}

/** What TCP went through on the connections of an edge. Counts are of the window or the run, and exact. */
export interface TcpProfile {
  readonly readBytes: number;
  /** Calls that moved bytes. */
  readonly readCalls: number;
  readonly writtenBytes: number;
  readonly writeCalls: number;
  /** Connections that were opened while l7prof looked: by this side, by the other. */
  readonly connects: number;
  readonly accepts: number;
  /** Connections that ended in any way; of them by a reset of the peer, one of this side, and for want of an answer. */
  readonly closes: number;
  readonly resets: number;
  readonly aborts: number;
  readonly timeouts: number;
  /** Attempts that were refused, not answered, or given up. */
  readonly failedConnects: number;
  /** Segments that this side sent again. */
  readonly retransmits: number;
  readonly openConnections: number;
  readonly connectMs: Distribution;
  /** Smoothed round trip time and its mean deviation, sampled at every 100 ms of traffic and at the end. */
  readonly srttMs: Distribution;
  readonly rttvarMs: Distribution;
  /** How long the calls took that moved bytes, if they were timed (`--call-times`). */
  readonly readMs?: Distribution;
  readonly writeMs?: Distribution;
  /** Packets that the kernel dropped on this machine, by reason, in the kernel's own words; if there were any. */
  readonly drops?: Readonly<Record<string, number>>;
}

/** Of the exchanges that the client and the server were both seen in. */
export interface BothSidesProfile {
  readonly exchanges: number;
  readonly clientMs: Distribution;
  readonly serverMs: Distribution;
  /** On the way and in queues: client duration less server duration. */
  readonly transitMs: Distribution;
}

/** One exchange as its two sides saw it. */
export interface BothSides {
  readonly clientMs: number;
  readonly serverMs: number;
  /** The difference; of short exchanges it may be a little below zero. */
  readonly transitMs: number;
}

/** One direction of use between two processes, seen from `side`. */
export interface EdgeProfile extends Metrics {
  readonly side: Side;
  readonly process: ProcessInfo;
  readonly peer: PeerInfo;
  readonly protocol: Protocol;
  /** Requests that wait for their response now. */
  readonly inFlight: number;
  readonly statusCpm: StatusCounts;
  /** Not of unix sockets. */
  readonly tcp?: TcpProfile;
  /** If there are any. */
  readonly bothSides?: BothSidesProfile;
  /** By requests, most first. */
  readonly endpoints: readonly EndpointProfile[];
  /** With `--group-by host|status`: the same exchanges by Host header or by status code, most first. */
  readonly groups?: readonly GroupProfile[];
}

export interface GroupProfile extends Metrics {
  /** The host, or the status code as text. */
  readonly key: string;
}

/** What was seen and what was not. Cumulative from the start. */
export interface Capture {
  readonly events: number;
  readonly lostEvents: number;
  readonly seenBytes: number;
  readonly capturedBytes: number;
  readonly requests: number;
  readonly responses: number;
  readonly exchanges: number;
  readonly unansweredRequests: number;
  readonly orphanResponses: number;
  readonly unparsedMessages: number;
  /** Bytes on connections after they left HTTP (WebSocket, CONNECT). */
  readonly tunnelBytes: number;
  /** Share of the bytes of HTTP connections that the parser accounted for: 1 means that nothing was lost. */
  readonly coverage: number;
}

/** Connections of a process that are encrypted with TLS that is not read. Cumulative from the start. */
export interface UnreadableTls {
  readonly process: ProcessInfo;
  /** What it encrypts with, and perhaps why that is not read: `Java SSLEngine`. */
  readonly library: string;
  readonly connections: number;
  /** Ciphertext that its calls moved, both ways. */
  readonly bytes: number;
}

/** One window of the run; `edges` hold that window's exchanges only. */
export interface Window {
  readonly timeUs: number;
  readonly windowMs: number;
  readonly edges: readonly EdgeProfile[];
  /** For the live screen: the same exchanges by endpoint over all edges, most requests first. */
  readonly endpoints?: readonly EndpointTotal[];
  readonly capture: Capture;
  /** Absent if there is none. */
  readonly unreadableTls?: readonly UnreadableTls[];
}

/** The run so far. */
export interface Total extends Window {
  /** The slowest of each reason, slowest first. */
  readonly top: TopSamples;
  /** Samples that `--max-samples-per-second` held back from the live output. */
  readonly samplesHeldBack: number;
}

export type Ended = "signal" | "duration" | "count" | "target-exited" | "end-of-file";

/** The whole run. */
export interface Summary extends Total {
  readonly ended: Ended;
}

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

/** A point in time, to the nanosecond. */
export interface Instant {
  /** From the epoch. */
  readonly seconds: number;
  /** Nanoseconds of the second, 0 to 999,999,999. */
  readonly nanos: number;
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

export interface WireSample {
  readonly connection: WireEnds;
  /** URI template. */
  readonly route: string;
  /** First byte of the request. */
  readonly start: Instant;
  readonly request: WireMessage;
  readonly response: WireMessage;
}

export interface WireEnds {
  /** Inode number of the socket. */
  readonly id: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Then there are no addresses but perhaps the server's path in `remoteAddress`, and no ports. */
  readonly isUnix: boolean;
}

export interface WireMessage {
  /** Stream position of its first byte, modulo 2^32. */
  readonly position: number;
  /** The socket calls that carried it, the first of them. */
  readonly calls: readonly WireCall[];
  /** All of them. */
  readonly callCount: number;
  /** What was kept of its bytes, secrets masked without a change of length; only with `keepsWire`. */
  readonly bytes?: Uint8Array;
}

export interface WireCall extends SocketCall {
  /** When it returned. */
  readonly time: Instant;
}

export interface Warning {
  readonly timeUs: number;
  /** Stable word: `lost-events`, `tls-unreadable`, `http2`, `coverage`, … */
  readonly code: string;
  readonly message: string;
}

/** A sampling rule as the user gave it; the last of a list is the default rule, whose `uriRegex` is null. */
export interface SamplingRule {
  readonly uriRegex: string | null;
  /** Sample exchanges that took at least this long; null: not by duration. */
  readonly slowMs: number | null;
  readonly on4xx: boolean;
  readonly on5xx: boolean;
  readonly keep: "request" | "response" | "both" | "none";
  readonly maxRequestBytes: number;
  readonly maxResponseBytes: number;
}

export interface Start {
  readonly timeUs: number;
  /** The version of l7prof. */
  readonly l7prof: string;
  readonly targets: readonly Target[];
  readonly rules: readonly SamplingRule[];
}

/** One target of the command line; exactly one kind of it is present. */
export type Target =
  | { readonly pid: number; readonly comm: string }
  | { readonly cgroup: string }
  | { readonly comm: string }
  | { readonly container: string }
  | { readonly pod: string }
  | { readonly unit: string }
  | { readonly all: true }
  | { readonly port: number };
