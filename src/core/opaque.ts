/**
 * Encrypted connections whose plaintext is not read: none of them just disappears. A connection is counted when its
 * session has not shown although it should have, or at its end. UDP sockets that carry QUIC are counted at once. If a
 * session shows late, what went by until then is missed: of HTTP it is unaccounted for, and a warning says so.
 */
import type { CaptureCounters } from "./capture.ts";
import { type ConnectionTable, type OpenConnection, setPeer } from "./connections.ts";
import type { RecordCursor } from "./decode.ts";
import type { ProcessInfo } from "./profile/parties.ts";
import type { UnreadableTls } from "./profile/window.ts";
import { QuicConnections } from "./quic.ts";
import { FLAG_KERNEL_TLS, FLAG_LATE, FLAG_QUIC, FLAG_WRITE } from "./record-layout.ts";
import type { UnreadableWarnings } from "./unreadable.ts";
import { type OpaqueEvents, type Unreadable, UnreadableRows } from "./unreadable-rows.ts";

const MAX_CONNECTIONS = 65_536;
/** Its session may show so long after it should have. */
const MAX_WAIT_NS = 1e9;
/** A hello goes each way before any plaintext does: RFC 8446, 2, and RFC 5246, 7.3 (0-RTT takes an earlier session). */
const TURNS_BEFORE_PLAINTEXT = 3;
const LATE = "had a TLS session before its library was probed: what went by until then is not counted";
/** RFC 8446, 6: level and description. */
const ALERT_BYTES = 2;
/** TLS 1.2 with AES-GCM: header, nonce, alert, tag; in TLS 1.3 it is shorter. */
const MAX_ALERT_RECORD_BYTES = 5 + 8 + ALERT_BYTES + 16;

interface Opaque extends Unreadable {
  /** Number of its session; null: not known. */
  session: number | null;
  /** Of `bytes`, those that went by before its session was read, as long as nothing tells of them. */
  missedBytes: number;
  /** How often what moved outside of the library's probed calls has changed its direction, the first time included. */
  turns: number;
  hasWrittenLast: boolean;
}

export interface OpaqueParts {
  readonly table: ConnectionTable;
  readonly unreadable: UnreadableWarnings;
  readonly counters: CaptureCounters;
  /** Of the run, as CLOCK_MONOTONIC: what went by before is not missed. */
  readonly startNs: number;
}

export class OpaqueConnections {
  private readonly table: ConnectionTable;
  private readonly warnings: UnreadableWarnings;
  private readonly rows: UnreadableRows;
  private readonly counters: CaptureCounters;
  private readonly startNs: number;
  /** By inode number, in the order of their beginning. */
  private readonly connections = new Map<number, Opaque>();
  /** Calls moved something of them that were in no call of a library that is probed: these may be unreadable. */
  private readonly waiting = new Set<Opaque>();
  /** Those of them whose session should have shown, and since when, in this order. */
  private readonly overdue = new Map<Opaque, number>();
  private readonly bySession = new Map<number, Opaque>();

  /** `table` learns their ends: before any plaintext goes by, it is known who talks to whom. */
  constructor(events: OpaqueEvents, { table, unreadable, counters, startNs }: OpaqueParts) {
    this.table = table;
    this.warnings = unreadable;
    this.rows = new UnreadableRows(events, unreadable);
    this.counters = counters;
    this.startNs = startNs;
  }

  opened(open: OpenConnection, flags: number): void {
    const isQuic = (flags & FLAG_QUIC) !== 0;
    const known = this.connections.get(open.info.id);
    if (isQuic && known?.open.info.socket === open.info.socket) return; // the kernel forgot it for a while
    this.closed(open.info.id);
    const oldest = this.connections.keys().next().value;
    if (this.connections.size >= MAX_CONNECTIONS && oldest !== undefined) this.closed(oldest);
    const quic = isQuic ? new QuicConnections() : null;
    const counted = { bytes: 0, row: null, isOfKernel: false, quic };
    const opaque = { open, ...counted, session: null, missedBytes: 0, turns: 0, hasWrittenLast: false };
    if (!isQuic) this.table.addEnds(open);
    this.connections.set(open.info.id, opaque);
  }

  moved(record: RecordCursor): void {
    const opaque = this.connections.get(record.connection);
    if (opaque === undefined) return;
    opaque.bytes += record.length;
    const isWrite = (record.flags & FLAG_WRITE) !== 0;
    if (opaque.turns === 0 || isWrite !== opaque.hasWrittenLast) opaque.turns++;
    opaque.hasWrittenLast = isWrite;
    if ((record.flags & FLAG_KERNEL_TLS) !== 0) opaque.isOfKernel = true;
    const more = opaque.quic?.moved(record) ?? 0;
    if (opaque.row !== null) {
      opaque.row.bytes += record.length;
      opaque.row.connections += more;
    } else if (opaque.quic !== null) {
      this.count(opaque);
    } else if (opaque.session === null || opaque.isOfKernel) {
      this.waiting.add(opaque);
      this.judge(opaque, record);
    }
  }

  /**
   * A call of the library may have waited when its probes came, and what it moved then shows no session; so the answer
   * shows it, however long that takes. But not if it went by as well, or more came by much later.
   */
  private judge(opaque: Opaque, { timeNs }: RecordCursor): void {
    const isOverdue = opaque.turns >= 2 || timeNs - opaque.open.openNs >= MAX_WAIT_NS;
    if (!isOverdue || this.overdue.has(opaque)) return;
    this.overdue.set(opaque, timeNs);
    this.rows.nameOf(opaque); // at a record, not at a tick: so a replay, too, knows it in time
  }

  /** Its plaintext is read from here on. */
  bound({ connection, session, flags }: RecordCursor): void {
    const opaque = this.connections.get(connection);
    if (opaque === undefined) return;
    this.waiting.delete(opaque);
    this.overdue.delete(opaque);
    const { open } = opaque;
    const isLate = (flags & FLAG_LATE) !== 0 && open.info.isFresh && open.openNs >= this.startNs;
    if (isLate && opaque.session === null && opaque.turns >= TURNS_BEFORE_PLAINTEXT) opaque.missedBytes = opaque.bytes;
    if (opaque.session !== null) this.bySession.delete(opaque.session);
    opaque.session = session;
    this.bySession.set(session, opaque);
    this.rows.remove(opaque);
    this.sessionOpened(session);
  }

  closed(id: number): void {
    const opaque = this.connections.get(id);
    if (opaque === undefined) return;
    this.countAtEnd(opaque);
    this.waiting.delete(opaque);
    this.overdue.delete(opaque);
    this.table.removeEnds(opaque.open);
    if (opaque.session !== null) this.bySession.delete(opaque.session);
    this.connections.delete(id);
  }

  /** The process at the other end is known. */
  peer(id: number, peer: ProcessInfo): void {
    const opaque = this.connections.get(id);
    if (opaque === undefined || opaque.open.other !== null) return;
    setPeer(opaque.open, peer);
    this.tellPeer(opaque);
  }

  /** The session may have shown itself as HTTP: it has the peer of its connection. */
  sessionOpened(session: number): void {
    const opaque = this.bySession.get(session);
    if (opaque === undefined || this.table.get(session) === undefined) return;
    this.tellPeer(opaque);
    if (opaque.missedBytes === 0) return;
    this.counters.seenBytes += opaque.missedBytes;
    this.counters.unaccountedBytes += opaque.missedBytes;
    opaque.missedBytes = 0;
    this.warnings.warn("tls-late", LATE, opaque.open, true);
  }

  /** Number of the session on a connection, or of the last one; undefined: not known. */
  sessionOn(id: number): number | undefined {
    return this.connections.get(id)?.session ?? undefined;
  }

  /** Whether the connection of a session is still there. */
  isOnConnection(session: number): boolean {
    return this.bySession.has(session);
  }

  tick(nowNs: number): void {
    for (const [opaque, sinceNs] of this.overdue) {
      if (nowNs - sinceNs < MAX_WAIT_NS) break;
      if (isEndAlone(opaque)) this.overdue.delete(opaque);
      else this.count(opaque);
    }
  }

  /** At the end of the run nothing more will show. */
  finish(): void {
    for (const opaque of this.connections.values()) this.countAtEnd(opaque);
  }

  profile(): UnreadableTls[] {
    return this.rows.profile();
  }

  private tellPeer({ open: { peer }, session }: Opaque): void {
    const open = session === null ? undefined : this.table.get(session);
    if (open !== undefined && open.peer === null && peer !== null) setPeer(open, peer);
  }

  /** Its session has not shown, or too late to tell what it carries. */
  private countAtEnd(opaque: Opaque): void {
    const isMissed = opaque.missedBytes > 0 && opaque.row === null;
    if (isMissed || (this.waiting.has(opaque) && !isEndAlone(opaque))) this.count(opaque);
  }

  private count(opaque: Opaque): void {
    this.waiting.delete(opaque);
    this.overdue.delete(opaque);
    this.rows.add(opaque);
  }
}

/** Open before, and nothing went by but that both ends said that they end: no exchange is that short. */
function isEndAlone({ open, bytes, isOfKernel }: Opaque): boolean {
  return !open.info.isFresh && bytes <= 2 * (isOfKernel ? ALERT_BYTES : MAX_ALERT_RECORD_BYTES);
}
