/**
 * Connections whose end came before the process had read all of them, or before the call had returned that moved the
 * last of it: they go on until that is told, or for as long as it may take.
 */
import type { Connection } from "./connection.ts";
import type { OpenConnection } from "./connections.ts";
import type { RecordCursor } from "./decode.ts";
import { MORE_UNREAD } from "./record-layout.ts";

/** For what the process has not read it need not come. */
const MAX_UNREAD_NS = 10e9;
/** A call that has moved bytes returns as soon as its thread has a core again. */
const MAX_RETURN_NS = 1e9;

interface Lingering {
  readonly untilNs: number;
  readonly end: RecordCursor;
}

export class LingeringConnections {
  private readonly connections = new Map<OpenConnection, Lingering>();

  get isEmpty(): boolean {
    return this.connections.size === 0;
  }

  add(open: OpenConnection, end: RecordCursor): void {
    const waitNs = end.hasMore === MORE_UNREAD ? MAX_UNREAD_NS : MAX_RETURN_NS;
    this.connections.set(open, { untilNs: end.timeNs + waitNs, end: end.copy() });
  }

  /** The record of its end, once all was read of what came before that, or told of that was returning. */
  reachedEnd(open: OpenConnection, connection: Connection, isAllRead: boolean): RecordCursor | null {
    const end = this.connections.get(open)?.end;
    if (end === undefined) return null;
    const isAtEnd = end.hasMore !== MORE_UNREAD && connection.isAt(end.inPosition, end.outPosition);
    return isAllRead || isAtEnd ? end : null;
  }

  /** Those that have waited long enough, with the record of their end. */
  *overdue(nowNs: number): Iterable<[OpenConnection, RecordCursor]> {
    for (const [open, { untilNs, end }] of this.connections) if (nowNs > untilNs) yield [open, end];
  }

  remove(open: OpenConnection): void {
    this.connections.delete(open);
  }
}
