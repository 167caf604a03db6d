/** The ends of a connection, as the kernel told them when it was opened to us, and how the two find each other. */
import { AF_UNIX, addressText, isLoopback, unixAddressText } from "./address.ts";
import { FLAG_FRESH, type RecordCursor } from "./decode.ts";

export interface ConnectionInfo {
  /** Inode number of the socket. */
  readonly id: number;
  /** Key of the kernel's map of connections. */
  readonly socket: bigint;
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

export function readInfo(record: RecordCursor): ConnectionInfo {
  const { family } = record;
  const isUnix = family === AF_UNIX;
  return {
    id: record.connection,
    socket: record.socket,
    localAddress: isUnix ? "" : addressText(family, record.local),
    localPort: record.localPort,
    remoteAddress: isUnix ? unixAddressText(record.path) : addressText(family, record.remote),
    remotePort: record.remotePort,
    network: record.network,
    inBase: record.inBase,
    outBase: record.outBase,
    isUnix,
    isFresh: (record.flags & FLAG_FRESH) !== 0,
  };
}

/** The key by which the other end looks for this one. */
export function keyOf(info: ConnectionInfo): string {
  if (info.isUnix) return `unix ${info.socket}`;
  return hasBases(info) ? basesKey(info.inBase, info.outBase) : addressKey(info, false);
}

/** The keys that the other end may have. */
export function keysOfOtherEnd(info: ConnectionInfo): readonly string[] {
  const { inBase, outBase } = info;
  if (info.isUnix) return [`unix ${(BigInt(inBase) << 32n) | BigInt(outBase)}`];
  if (!hasBases(info)) return [addressKey(info, true)];
  // On the side that connected, the way out is one less than what the other side calls its way in.
  return [basesKey(outBase, (inBase - 1) >>> 0), basesKey((outBase + 1) >>> 0, inBase)];
}

/** Old recordings have none. */
function hasBases({ inBase, outBase }: ConnectionInfo): boolean {
  return inBase !== 0 || outBase !== 0;
}

function basesKey(inBase: number, outBase: number): string {
  return `${inBase} ${outBase}`;
}

function addressKey(info: ConnectionInfo, isReversed: boolean): string {
  const local = `${info.localAddress} ${info.localPort}`;
  const remote = `${info.remoteAddress} ${info.remotePort}`;
  // Each network namespace has a loopback of its own, with the same addresses.
  const network = isLoopback(info.localAddress) ? info.network : "";
  return isReversed ? `${network} ${remote} ${local}` : `${network} ${local} ${remote}`;
}
