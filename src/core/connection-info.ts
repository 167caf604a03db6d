/** The ends of a connection, as the kernel told them when it was opened to us. */
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
    isUnix,
    isFresh: (record.flags & FLAG_FRESH) !== 0,
  };
}

/** The key of a connection by both addresses; reversed, that of its other end. */
export function endsOf(info: ConnectionInfo, isReversed: boolean): string {
  const local = `${info.localAddress} ${info.localPort}`;
  const remote = `${info.remoteAddress} ${info.remotePort}`;
  // Each network namespace has a loopback of its own, with the same addresses.
  const network = isLoopback(info.localAddress) ? info.network : "";
  return isReversed ? `${network} ${remote} ${local}` : `${network} ${local} ${remote}`;
}
