/** The connections with records that wait for others (`held.ts`), until those have come or it has taken too long. */
import type { Connection } from "./connection.ts";
import type { OpenConnection } from "./connections.ts";
import type { RecordCursor } from "./decode.ts";
import { FLAG_WRITE } from "./record-layout.ts";

export class HeldConnections {
  private readonly waiting = new Set<OpenConnection>();

  /** Lets go of what waited too long. */
  tick(nowNs: number): void {
    for (const open of this.waiting) this.release(open, nowNs);
  }

  hold(open: OpenConnection, connection: Connection, record: RecordCursor): void {
    // What the record waits for must not wait behind it.
    if ((record.flags & FLAG_WRITE) !== 0) connection.receive(record);
    else open.held.push(record);
    this.waiting.add(open);
    this.release(open, record.timeNs);
  }

  /** What they wait for will not come any more. */
  flush(open: OpenConnection): void {
    for (let record = open.held.shift(); record !== undefined; record = open.held.shift()) {
      open.connection?.receive(record);
    }
    this.waiting.delete(open);
  }

  private release(open: OpenConnection, nowNs: number): void {
    const { held, connection } = open;
    while (held.first !== undefined && (!connection!.isAhead(held.first) || held.isOverdue(nowNs))) {
      connection!.receive(held.shift()!);
    }
    if (held.isEmpty) this.waiting.delete(open);
  }
}
