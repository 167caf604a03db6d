/** How a sampled exchange went over its connection. Views do not show it; exports need it. */
import type { Instant } from "./instant.ts";

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

/** One socket call as it returned. */
export interface SocketCall {
  /** CALL_… of bpf/events.h. */
  readonly call: number;
  /** When it returned, CLOCK_MONOTONIC. */
  readonly timeNs: number;
  /** All that the call moved, also of other messages. */
  readonly bytes: number;
  /** Of its first byte in the stream, modulo 2^32, and how far the other direction had come. */
  readonly position: number;
  readonly otherPosition: number;
  readonly threadId: number;
  /** Smoothed round trip time, microseconds; 0 where there is none. */
  readonly srttUs: number;
  /** Segments that the connection had sent again so far, modulo 256; null where nobody counted. */
  readonly retransmitCount: number | null;
  /** When it began, CLOCK_MONOTONIC; null where calls were not timed. */
  readonly startNs: number | null;
}
