/** How a sampled exchange went over its connection. Views do not show it; exports need it. */
import type { SocketCall } from "../calls.ts";
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
