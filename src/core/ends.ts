/**
 * The two ends of a connection find each other, where both processes are profiled: a unix socket points at its other
 * end, TCP's ends know where the two streams began.
 */
import { addressKey, areEndsOfOne, type ConnectionInfo, hasBases, otherSocket } from "./connection-info.ts";

interface End {
  readonly info: ConnectionInfo;
}

export class Ends<T extends End> {
  private readonly bySocket = new Map<bigint, T>();
  /** By where the stream that comes in began; of two that began alike, the newer one. */
  private readonly byBase = new Map<number, T>();
  private readonly byAddress = new Map<string, T>();

  /** Answers its other end, if that is there. */
  add(end: T): T | undefined {
    const { info } = end;
    if (info.isUnix) {
      this.bySocket.set(info.socket, end);
      return this.bySocket.get(otherSocket(info));
    }
    if (!hasBases(info)) {
      this.byAddress.set(addressKey(info, false), end);
      return this.byAddress.get(addressKey(info, true));
    }
    this.byBase.set(info.inBase, end);
    return this.withBase(info, info.outBase) ?? this.withBase(info, (info.outBase + 1) >>> 0);
  }

  remove(end: T): void {
    const { info } = end;
    if (info.isUnix) removeIf(this.bySocket, info.socket, end);
    else if (hasBases(info)) removeIf(this.byBase, info.inBase, end);
    else removeIf(this.byAddress, addressKey(info, false), end);
  }

  private withBase(info: ConnectionInfo, inBase: number): T | undefined {
    const other = this.byBase.get(inBase);
    return other !== undefined && areEndsOfOne(info, other.info) ? other : undefined;
  }
}

function removeIf<K, T>(map: Map<K, T>, key: K, value: T): void {
  if (map.get(key) === value) map.delete(key);
}
