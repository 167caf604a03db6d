/**
 * What TCP tells of connections besides their bytes: round trips, retransmits, dropped packets. It goes on telling
 * after the process has closed one, while it still sees to what was written last.
 */
import type { ConnectionTable, OpenConnection } from "./connections.ts";
import type { RecordCursor } from "./decode.ts";
import type { OpaqueConnections } from "./opaque.ts";
import { OTHER_DROPS } from "./tcp.ts";

const MAX_CLOSING = 4096;
/** The kernel has about a hundred. */
const MAX_DROP_REASONS = 256;

export interface TcpReportEvents {
  /** How the kernel calls a reason for which it dropped a packet; "" if that is not known. */
  dropReasonOf(reason: number): string;
}

export class TcpReports {
  private readonly events: TcpReportEvents;
  private readonly table: ConnectionTable;
  private readonly opaqueConnections: OpaqueConnections;
  /** Connections that the process has closed, by inode number, and sessions of TLS that have ended before theirs. */
  private readonly closing = new Map<number, OpenConnection>();
  private readonly dropReasons = new Map<number, string>();

  constructor(events: TcpReportEvents, table: ConnectionTable, opaqueConnections: OpaqueConnections) {
    this.events = events;
    this.table = table;
    this.opaqueConnections = opaqueConnections;
  }

  sample(record: RecordCursor): void {
    this.onConnection(record.connection)?.traffic.sample(record);
  }

  drop(record: RecordCursor): void {
    this.onConnection(record.connection)?.traffic.dropped(this.dropReason(record.dropReason));
  }

  /** The process has closed it. */
  closes(open: OpenConnection): void {
    const oldest = this.closing.keys().next().value;
    if (this.closing.size >= MAX_CLOSING && oldest !== undefined) this.closing.delete(oldest);
    this.closing.set(open.info.id, open);
  }

  /** TCP is through with it. */
  closed(id: number): void {
    this.closing.delete(this.followedOn(id));
  }

  private onConnection(id: number): OpenConnection | undefined {
    const followed = this.followedOn(id);
    return this.table.get(followed) ?? this.closing.get(followed);
  }

  /** What TCP tells of a connection is of the session on it, if there is one. */
  private followedOn(id: number): number {
    return this.opaqueConnections.sessionOn(id) ?? id;
  }

  private dropReason(reason: number): string {
    const known = this.dropReasons.get(reason);
    if (known !== undefined) return known;
    if (this.dropReasons.size >= MAX_DROP_REASONS) return OTHER_DROPS;
    const name = this.events.dropReasonOf(reason) || `reason ${reason}`;
    this.dropReasons.set(reason, name);
    return name;
  }
}
