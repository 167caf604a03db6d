/**
 * The connections that are open now, by the inode number of their socket, and which of them are the two ends of one.
 * Bounded: past the cap the one that was opened first is let go, as the kernel's own table does.
 */
import type { Connection } from "./connection.ts";
import { type ConnectionInfo, endsOf, readInfo } from "./connection-info.ts";
import { FLAG_WRITE, type RecordCursor } from "./decode.ts";
import { HeldRecords } from "./held.ts";
import type { ProcessInfo } from "./profile.ts";

export const MAX_CONNECTIONS = 65_536;

export interface OpenConnection {
  readonly info: ConnectionInfo;
  readonly opener: ProcessInfo;
  /** Not before the time of the call that opened it to us. */
  readonly openNs: number;
  /** The first call that was seen wrote. */
  readonly beganWriting: boolean;
  /** Null until its first message shows which side it is. */
  connection: Connection | null;
  readonly held: HeldRecords;
  pid: number;
}

export class ConnectionTable {
  private readonly byId = new Map<number, OpenConnection>();
  /** By both addresses, so that a connection finds its other end when both are profiled. */
  private readonly byEnds = new Map<string, OpenConnection>();

  get(id: number): OpenConnection | undefined {
    return this.byId.get(id);
  }

  values(): Iterable<OpenConnection> {
    return this.byId.values();
  }

  get isOverfull(): boolean {
    return this.byId.size > MAX_CONNECTIONS;
  }

  get oldest(): OpenConnection | undefined {
    return this.byId.values().next().value;
  }

  add(record: RecordCursor): OpenConnection {
    const info = readInfo(record);
    const open: OpenConnection = {
      info,
      opener: { pid: record.pid, comm: record.comm },
      openNs: record.timeNs,
      beganWriting: (record.flags & FLAG_WRITE) !== 0,
      connection: null,
      held: new HeldRecords(),
      pid: record.pid,
    };
    this.byId.set(info.id, open);
    if (!info.isUnix) this.byEnds.set(endsOf(info, false), open);
    return open;
  }

  remove(open: OpenConnection): void {
    this.byId.delete(open.info.id);
    const ends = endsOf(open.info, false);
    if (this.byEnds.get(ends) === open) this.byEnds.delete(ends);
  }

  /** The process at the other end, if it is profiled too. */
  peerOf(info: ConnectionInfo): ProcessInfo | null {
    return info.isUnix ? null : (this.byEnds.get(endsOf(info, true))?.opener ?? null);
  }
}
