/** The ends of a connection, as the kernel told them when it was opened to us, and how the two find each other. */
import { AF_UNIX, addressText, isLoopback, unixAddressText } from "./address.ts";
import type { RecordCursor } from "./decode.ts";
import type { Protocol } from "./profile/parties.ts";
import { FLAG_FRESH, FLAG_TLS } from "./record-layout.ts";

export interface ConnectionInfo {
  /** Inode number of the socket, or the number of a TLS session. */
  readonly id: number;
  /** Key of the kernel's map of connections, or with `pid` of that of sessions. */
  readonly socket: bigint;
  /** Of the call that opened it to us. */
  readonly pid: number;
  readonly protocol: Protocol;
  /** False: a TLS session of which nobody knows on which connection it runs. */
  readonly isKnown: boolean;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly network: number;
  /** TCP: where the streams in and out began (bpf/stream.bpf.h); unix: the halves of the other end's `socket`. */
  readonly inBase: number;
  readonly outBase: number;
  readonly isUnix: boolean;
  /** Seen from its first byte. */
  readonly isFresh: boolean;
}

export const UNKNOWN = "(unknown)";

export function readInfo(record: RecordCursor): ConnectionInfo {
  const { family } = record;
  const isUnix = family === AF_UNIX;
  const isKnown = family !== 0;
  const isTcp = isKnown && !isUnix;
  return {
    id: record.connection,
    socket: record.socket,
    pid: record.pid,
    protocol: (record.flags & FLAG_TLS) === 0 ? "http" : "https",
    isKnown,
    localAddress: isTcp ? addressText(family, record.local) : "",
    localPort: record.localPort,
    remoteAddress: isTcp ? addressText(family, record.remote) : isUnix ? unixAddressText(record.path) : UNKNOWN,
    remotePort: record.remotePort,
    network: record.network,
    inBase: record.inBase,
    outBase: record.outBase,
    isUnix,
    isFresh: (record.flags & FLAG_FRESH) !== 0,
  };
}

/** Old recordings do not say where the streams began. */
export function hasBases({ inBase, outBase }: ConnectionInfo): boolean {
  return inBase !== 0 || outBase !== 0;
}

/** A unix socket's other end. */
export function otherSocket({ inBase, outBase }: ConnectionInfo): bigint {
  return (BigInt(inBase) << 32n) | BigInt(outBase);
}

/**
 * Whether these are the two ends of one TCP connection. On the side that connected, the way out is one less than what
 * the other side calls its way in.
 */
export function areEndsOfOne(a: ConnectionInfo, b: ConnectionInfo): boolean {
  return isFedBy(a, b) && isFedBy(b, a) && (a.inBase !== b.outBase || b.inBase !== a.outBase);
}

function isFedBy({ inBase }: ConnectionInfo, { outBase }: ConnectionInfo): boolean {
  return inBase === outBase || inBase === (outBase + 1) >>> 0;
}

/** Of a connection by both addresses; reversed, that of its other end. */
export function addressKey(info: ConnectionInfo, isReversed: boolean): string {
  const local = `${info.localAddress} ${info.localPort}`;
  const remote = `${info.remoteAddress} ${info.remotePort}`;
  // Each network namespace has a loopback of its own, with the same addresses.
  const network = isLoopback(info.localAddress) ? info.network : "";
  return isReversed ? `${network} ${remote} ${local}` : `${network} ${local} ${remote}`;
}
