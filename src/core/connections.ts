/**
 * The connections that are open now, by the inode number of their socket, and which of them are the two ends of one.
 * Bounded: past the cap the one that was opened first is let go, as the kernel's own table does.
 */

import { Joint } from "./both-sides.ts";
import type { Connection } from "./connection.ts";
import { type ConnectionInfo, readInfo } from "./connection-info.ts";
import type { RecordCursor } from "./decode.ts";
import { Ends } from "./ends.ts";
import { HeldRecords } from "./held.ts";
import type { ProcessInfo } from "./profile/parties.ts";
import type { Sample } from "./profile/sample.ts";
import { FLAG_WRITE } from "./record-layout.ts";
import { Traffic } from "./traffic.ts";

export const MAX_CONNECTIONS = 65_536;

export interface OpenConnection {
  /** Changes once, when a TLS session shows on which connection it runs. */
  info: ConnectionInfo;
  readonly opener: ProcessInfo;
  /** The process at the other end, once it is known. */
  peer: ProcessInfo | null;
  /** The other end itself, if it is profiled too. */
  other: OpenConnection | null;
  /** Not before the time of the call that opened it to us. */
  readonly openNs: number;
  /** The first call that was seen wrote. */
  readonly beganWriting: boolean;
  /** Null until its first message shows which side it is. */
  connection: Connection | null;
  readonly held: HeldRecords;
  readonly traffic: Traffic;
  joint: Joint | null;
  pid: number;
}

export class ConnectionTable {
  private readonly byId = new Map<number, OpenConnection>();
  /** What was asked for last: a server writes where it has just read. */
  private latest: OpenConnection | null = null;
  private readonly ends = new Ends<OpenConnection>();
  private readonly showSample: (sample: Sample) => void;

  /** `showSample` gets the samples that waited for their other side. */
  constructor(showSample: (sample: Sample) => void) {
    this.showSample = showSample;
  }

  get(id: number): OpenConnection | undefined {
    const { latest } = this;
    if (latest !== null && latest.info.id === id) return latest;
    const open = this.byId.get(id);
    if (open !== undefined) this.latest = open;
    return open;
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
    const open = openConnection(record);
    this.byId.set(open.info.id, open);
    this.latest = open;
    this.addEnds(open);
    return open;
  }

  /** The TLS session, known already, runs on the connection that the record tells. */
  learnEnds(open: OpenConnection, record: RecordCursor): void {
    open.info = { ...readInfo(record), isFresh: open.info.isFresh };
    open.connection?.learnEnds(open.info);
    this.addEnds(open);
  }

  remove(open: OpenConnection): void {
    this.byId.delete(open.info.id);
    this.latest = null;
    this.removeEnds(open);
  }

  /** So that it and its other end find each other. */
  addEnds(open: OpenConnection): void {
    if (!open.info.isKnown) return;
    const other = this.ends.add(open);
    if (other !== undefined && other !== open) this.pair(open, other);
  }

  removeEnds(open: OpenConnection): void {
    this.ends.remove(open);
  }

  private join(open: OpenConnection, other: OpenConnection): void {
    const joint = new Joint(this.showSample);
    for (const end of [open, other]) {
      end.joint = joint;
      if (end.connection !== null) end.connection.joint = joint;
    }
  }

  private pair(open: OpenConnection, other: OpenConnection): void {
    open.other = other;
    other.other = open;
    if (hasCommonPositions(open.info, other.info)) this.join(open, other);
    setPeer(open, other.opener);
    setPeer(other, open.opener);
  }
}

/** TCP counts for both. What we count for unix sockets and TLS sessions begins when each end is first seen. */
function hasCommonPositions(a: ConnectionInfo, b: ConnectionInfo): boolean {
  if (a.protocol !== b.protocol) return false;
  return (a.protocol === "http" && !a.isUnix) || (a.isFresh && b.isFresh);
}

/** As a record of its first sight tells it. */
export function openConnection(record: RecordCursor): OpenConnection {
  const info = readInfo(record);
  return {
    info,
    opener: { pid: record.pid, comm: record.comm },
    peer: null,
    other: null,
    openNs: record.timeNs,
    beganWriting: (record.flags & FLAG_WRITE) !== 0,
    connection: null,
    held: new HeldRecords(),
    traffic: new Traffic(info.isFresh),
    joint: null,
    pid: record.pid,
  };
}

/** What was counted before its name was known stays where it is. */
export function setPeer(open: OpenConnection, peer: ProcessInfo): void {
  open.peer = peer;
  open.connection?.setPeer(peer);
}
