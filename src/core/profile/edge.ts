/** Who called whom, what was asked there, and how the connections did. */
import type { Distribution, Metrics, StatusCounts } from "./figures.ts";
import type { PeerInfo, ProcessInfo, Protocol, Side } from "./parties.ts";

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

export interface GroupProfile extends Metrics {
  /** The host, or the status code as text. */
  readonly key: string;
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
