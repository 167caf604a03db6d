/**
 * The run over time: each window, all of them so far, the whole at the end; and how much of it was seen.
 *
 * As all of this folder, it is what every output and export reads: plain readonly data, in the words and units of the
 * NDJSON (schema/), except that times are epoch microseconds, which the outputs format.
 */
import type { EdgeProfile, EndpointTotal } from "./edge.ts";
import type { ProcessInfo } from "./parties.ts";
import type { Sample } from "./sample.ts";

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

/** The whole run. */
export interface Summary extends Total {
  readonly ended: Ended;
}

export type Ended = "signal" | "duration" | "count" | "target-exited" | "end-of-file";

/** The samples of a run by reason; `trace` only with `--trace-id`. */
export interface TopSamples {
  readonly slow: readonly Sample[];
  readonly "4xx": readonly Sample[];
  readonly "5xx": readonly Sample[];
  readonly trace?: readonly Sample[];
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

export interface Warning {
  readonly timeUs: number;
  /** Stable word: `lost-events`, `tls-unreadable`, `http2`, `coverage`, … */
  readonly code: string;
  readonly message: string;
}
