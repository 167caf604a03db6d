/**
 * Connections whose end came before the process had read all of them, or before the call had returned that moved the
 * last of it: they go on until that is told, or for as long as it may take.
 */
import type { Connection } from "./connection.ts";
import type { OpenConnection } from "./connections.ts";
import type { RecordCursor } from "./decode.ts";
import { MORE_IN_LIBRARY, MORE_RETURNING, MORE_UNREAD } from "./record-layout.ts";

/** For what the process has not read it need not come. */
const MAX_UNREAD_NS = 10e9;
/** A call that has moved bytes returns as soon as its thread has a core again. */
const MAX_RETURN_NS = 1e9;

interface Lingering {
  readonly untilNs: number;
  isUnread: boolean;
  readonly end: RecordCursor;
}

export class LingeringConnections {
  private readonly connections = new Map<OpenConnection, Lingering>();

  get isEmpty(): boolean {
    return this.connections.size === 0;
  }

  add(open: OpenConnection, end: RecordCursor): void {
    const isUnread = (end.hasMore & MORE_UNREAD) !== 0;
    const waitNs = isUnread ? MAX_UNREAD_NS : MAX_RETURN_NS;
    this.connections.set(open, { untilNs: end.timeNs + waitNs, isUnread, end: end.copy() });
  }

  /**
   * The record of its end, once all was read of what came before that, or told of that was returning. How much a TLS
   * library has in it nobody knows: there it is the process that ends it, by closing.
   */
  reachedEnd(open: OpenConnection, connection: Connection, isAllRead: boolean): RecordCursor | null {
    const lingering = this.connections.get(open);
    if (lingering === undefined) return null;
    const { end } = lingering;
    if (isAllRead) lingering.isUnread = false;
    const isReturning = (end.hasMore & MORE_RETURNING) !== 0 && !connection.isAt(end.inPosition, end.outPosition);
    const isInLibrary = (end.hasMore & MORE_IN_LIBRARY) !== 0;
    return lingering.isUnread || isReturning || isInLibrary ? null : end;
  }

  /** How it ended, if it lingers. */
  endOf(open: OpenConnection): RecordCursor | undefined {
    return this.connections.get(open)?.end;
  }

  /** Those that have waited long enough, with the record of their end. */
  *overdue(nowNs: number): Iterable<[OpenConnection, RecordCursor]> {
    for (const [open, { untilNs, end }] of this.connections) if (nowNs > untilNs) yield [open, end];
  }

  remove(open: OpenConnection): void {
    this.connections.delete(open);
  }
}
