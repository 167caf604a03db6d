/**
 * Connections from their first record to their last: which side the process is, what must wait for another record, how
 * they end, and what turns out to be something else than HTTP/1.
 */
import type { CaptureCounters } from "./capture.ts";
import { Connection, type ConnectionContext } from "./connection.ts";
import { type ConnectionTable, type OpenConnection, openConnection, setPeer } from "./connections.ts";
import type { RecordCursor } from "./decode.ts";
import { looksLike } from "./http1/detect.ts";
import type { OpaqueConnections } from "./opaque.ts";
import type { ProcessNames } from "./process-names.ts";
import type { Side } from "./profile/parties.ts";
import { EVENT_STATE, FLAG_CIPHER, FLAG_END, FLAG_WRITE, MORE_UNREAD, PROCESS_ENDED } from "./record-layout.ts";
import { OTHER_DROPS } from "./tcp.ts";
import type { UnreadableWarnings } from "./unreadable.ts";

/** Bytes of one direction of a connection that are known to be body. */
export interface PassedStretch {
  /** Inode number of the socket. */
  readonly id: number;
  readonly isWrite: boolean;
  /** Where in the stream they end, modulo 2^32. */
  readonly position: number;
}

export interface LifecycleEvents {
  /** A connection carries something else: the kernel need not report it any more. */
  onIgnore(connection: { readonly socket: bigint; readonly id: number; readonly pid: number }): void;
  /** Up to a position the kernel need not copy what goes by. */
  onPass(stretch: PassedStretch): void;
  /** How the kernel calls a reason for which it dropped a packet; "" if that is not known. */
  dropReasonOf(reason: number): string;
}

export interface LifecycleParts {
  readonly counters: CaptureCounters;
  readonly context: ConnectionContext;
  readonly table: ConnectionTable;
  readonly names: ProcessNames;
  readonly unreadable: UnreadableWarnings;
  readonly opaqueConnections: OpaqueConnections;
}

const LARGE_COPY_BYTES = 32_768;
const TCP_FIN_WAIT1 = 4;
const TCP_CLOSE = 7;
/** For what the process has not read it need not come. */
const MAX_LINGER_NS = 10e9;
/** A call that has moved bytes returns as soon as its thread has a core again. */
const MAX_RETURN_NS = 1e9;
const MAX_CLOSING = 4096;
/** The kernel has about a hundred. */
const MAX_DROP_REASONS = 256;
const SHUTDOWN_IN = 1;
const SHUTDOWN_OUT = 2;
const SHUTDOWN_BOTH = 3;

interface Lingering {
  readonly untilNs: number;
  readonly end: RecordCursor;
}

export class Lifecycle {
  private readonly events: LifecycleEvents;
  private readonly counters: CaptureCounters;
  private readonly context: ConnectionContext;
  private readonly table: ConnectionTable;
  private readonly names: ProcessNames;
  private readonly unreadable: UnreadableWarnings;
  private readonly opaqueConnections: OpaqueConnections;
  /** Connections with records that wait for others. */
  private readonly withHeld = new Set<OpenConnection>();
  /** Connections that have ended before all was read from them, or told of. */
  private readonly lingering = new Map<OpenConnection, Lingering>();
  private readonly dropReasons = new Map<number, string>();
  /** Connections that the process has closed, while TCP still sees to what it wrote. */
  private readonly closing = new Map<number, OpenConnection>();

  constructor(events: LifecycleEvents, parts: LifecycleParts) {
    this.events = events;
    this.counters = parts.counters;
    this.context = parts.context;
    this.table = parts.table;
    this.names = parts.names;
    this.unreadable = parts.unreadable;
    this.opaqueConnections = parts.opaqueConnections;
  }

  /** Lets go of what waited too long. */
  tick(nowNs: number): void {
    for (const open of this.withHeld) this.releaseHeld(open, nowNs);
    for (const [open, { untilNs, end }] of this.lingering) {
      if (nowNs <= untilNs) continue;
      this.events.onIgnore(open.info);
      this.closed(open, end);
    }
  }

  data(record: RecordCursor): void {
    const open = this.table.get(record.connection);
    if (open === undefined) {
      if ((record.flags & FLAG_CIPHER) !== 0) this.opaqueConnections.moved(record.connection, record.length);
      return;
    }
    this.counters.seenBytes += record.length;
    this.counters.capturedBytes += record.headBytes + record.tailBytes;
    open.pid = record.pid;
    const connection = open.connection ?? this.recognise(open, record);
    if (connection === null) return;
    open.traffic.call((record.flags & FLAG_WRITE) !== 0, record.length, record.srttUs);
    if (record.isTimed && record.length > 0)
      open.traffic.took((record.flags & FLAG_WRITE) !== 0, record.timeNs - record.startNs);
    if (!open.held.isEmpty || connection.isAhead(record)) this.hold(open, connection, record);
    else connection.receive(record);
    if (record.headBytes >= LARGE_COPY_BYTES) this.passBody(connection, record);
    if (connection.isNotHttp) this.ignore(open, record.timeNs);
    else if (this.lingering.size > 0) this.closeLingering(open, connection, (record.flags & FLAG_END) !== 0);
  }

  /** All was read of what came before its end, or told of that was returning. */
  private closeLingering(open: OpenConnection, connection: Connection, isAllRead: boolean): void {
    const end = this.lingering.get(open)?.end;
    if (end === undefined) return;
    if (isAllRead || (end.hasMore !== MORE_UNREAD && connection.isAt(end.inPosition, end.outPosition)))
      this.closed(open, end);
  }

  private passBody(connection: Connection, record: RecordCursor): void {
    const position = connection.passesUpTo(record);
    if (position === undefined) return;
    this.events.onPass({ id: record.connection, isWrite: (record.flags & FLAG_WRITE) !== 0, position });
  }

  open(record: RecordCursor): void {
    const known = this.table.get(record.connection);
    if (known !== undefined && known.info.socket === record.socket) {
      if (!known.info.isKnown) {
        this.table.learnEnds(known, record);
        this.opaqueConnections.sessionOpened(record.connection);
      }
      return; // else the kernel forgot it for a while
    }
    if (known !== undefined) this.close(known, record.timeNs);
    this.names.learn(record.pid, record.comm);
    this.table.add(record);
    this.opaqueConnections.sessionOpened(record.connection);
    const { oldest } = this.table;
    if (this.table.isOverfull && oldest !== undefined) {
      this.events.onIgnore(oldest.info);
      this.close(oldest, record.timeNs);
    }
  }

  /** Which side the process is, by the first message; null when it is not HTTP/1. */
  private recognise(open: OpenConnection, record: RecordCursor): Connection | null {
    const start = record.payload;
    const looks = looksLike(record.bytes, start, start + record.headBytes);
    const isWrite = (record.flags & FLAG_WRITE) !== 0;
    // The record of the call that opened it, which began with a message, was lost: wait for the next one.
    const isJoined = record.timeNs > open.openNs;
    if (isJoined && looks !== "request" && looks !== "response") {
      this.counters.unaccountedBytes += record.length;
      return null;
    }
    if (looks === "http2-preface" || looks === "tls" || looks === "other") {
      if (looks === "http2-preface")
        this.unreadable.warn("http2", "speaks HTTP/2, which l7prof does not read", open, true);
      this.ignore(open, record.timeNs);
      return null;
    }
    const side: Side = (looks === "response") === isWrite ? "server" : "client";
    const info = isJoined ? { ...open.info, isFresh: false } : open.info;
    const connection = new Connection(info, side, open, this.context);
    open.connection = connection;
    return connection;
  }

  private hold(open: OpenConnection, connection: Connection, record: RecordCursor): void {
    // What the record waits for must not wait behind it.
    if ((record.flags & FLAG_WRITE) !== 0) connection.receive(record);
    else open.held.push(record);
    this.withHeld.add(open);
    this.releaseHeld(open, record.timeNs);
  }

  private releaseHeld(open: OpenConnection, nowNs: number): void {
    const { held, connection } = open;
    while (held.first !== undefined && (!connection!.isAhead(held.first) || held.isOverdue(nowNs))) {
      connection!.receive(held.shift()!);
    }
    if (held.isEmpty) this.withHeld.delete(open);
  }

  stateChanged(record: RecordCursor): void {
    const open = this.table.get(record.connection);
    const { state, shutdown, hasMore } = record;
    if (open === undefined) {
      if (state !== TCP_CLOSE) return;
      this.closing.delete(record.connection);
      this.opaqueConnections.closed(record.connection);
      return;
    }
    // The peer's FIN shuts what comes in, too, but what came before it may yet be read: a read of 0 ends that.
    const isClosed = (state === TCP_CLOSE && hasMore === 0) || (state === TCP_FIN_WAIT1 && shutdown === SHUTDOWN_BOTH);
    if (isClosed) this.flushHeld(open);
    else if ((shutdown & SHUTDOWN_IN) !== 0) open.connection?.finArrived();
    open.connection?.ended(
      {
        isIn: isClosed,
        isOut: isClosed || (shutdown & SHUTDOWN_OUT) !== 0,
        inPosition: record.inPosition,
        outPosition: record.outPosition,
      },
      record.timeNs,
    );
    if (isClosed) this.closed(open, record);
    else if (hasMore !== 0) this.linger(open, record);
  }

  private linger(open: OpenConnection, record: RecordCursor): void {
    const waitNs = record.hasMore === MORE_UNREAD ? MAX_LINGER_NS : MAX_RETURN_NS;
    this.lingering.set(open, { untilNs: record.timeNs + waitNs, end: record.copy() });
  }

  /** It goes on as before: what can't be read shows as missing. */
  unreadableConnection(record: RecordCursor): void {
    this.names.learn(record.pid, record.comm);
    const open = this.table.get(record.connection) ?? openConnection(record);
    this.unreadable.warn("io-uring", "io_uring, not readable: counts are too low", open, false);
    this.unreadable.count("io-uring", "io_uring, not readable", open);
  }

  opaque(record: RecordCursor): void {
    const known = this.table.get(record.connection);
    if (known !== undefined) this.close(known, record.timeNs); // its end was not seen
    this.names.learn(record.pid, record.comm);
    this.opaqueConnections.opened(openConnection(record));
  }

  process(record: RecordCursor): void {
    if (record.what !== PROCESS_ENDED) {
      this.names.learn(record.pid, record.comm);
      return;
    }
    // Nothing tells of the end of its unix sockets, or of a TLS session on no known connection, but its own.
    for (const open of this.table.values()) {
      const { isUnix, isKnown } = open.info;
      if ((isUnix || !isKnown) && open.pid === record.pid) this.closed(open, record);
    }
  }

  /** The kernel knows who accepted or connected; an end that is profiled itself knows who uses it. */
  peer(record: RecordCursor): void {
    const open = this.table.get(record.connection);
    const peer = { pid: record.peerPid, comm: record.comm };
    if (open === undefined) this.opaqueConnections.peer(record.connection, peer);
    else if (open.other === null) setPeer(open, peer);
  }

  tcp(record: RecordCursor): void {
    this.onConnection(record.connection)?.traffic.sample(record);
  }

  drop(record: RecordCursor): void {
    this.onConnection(record.connection)?.traffic.dropped(this.dropReason(record.dropReason));
  }

  private dropReason(reason: number): string {
    const known = this.dropReasons.get(reason);
    if (known !== undefined) return known;
    if (this.dropReasons.size >= MAX_DROP_REASONS) return OTHER_DROPS;
    const name = this.events.dropReasonOf(reason) || `reason ${reason}`;
    this.dropReasons.set(reason, name);
    return name;
  }

  /** What TCP tells of a connection is of what is followed on it. */
  private onConnection(id: number): OpenConnection | undefined {
    return this.table.get(id) ?? this.closing.get(id) ?? this.opaqueConnections.sessionOn(id);
  }

  private flushHeld(open: OpenConnection): void {
    for (let record = open.held.shift(); record !== undefined; record = open.held.shift()) {
      open.connection?.receive(record);
    }
    this.withHeld.delete(open);
  }

  /** It came to its end; what the process wrote last may still be under way. */
  private closed(open: OpenConnection, record: RecordCursor): void {
    const isUnderWay = record.kind === EVENT_STATE && record.state !== TCP_CLOSE;
    if (isUnderWay && this.closing.size < MAX_CLOSING) this.closing.set(open.info.id, open);
    this.flushHeld(open);
    open.connection?.close(record.timeNs);
    open.traffic.closed(record.kind === EVENT_STATE ? record : null);
    this.forget(open);
  }

  /** It is not followed any more. */
  private close(open: OpenConnection, timeNs: number): void {
    this.flushHeld(open);
    open.connection?.close(timeNs);
    open.traffic.left();
    this.forget(open);
  }

  private forget(open: OpenConnection): void {
    this.lingering.delete(open);
    this.table.remove(open);
  }

  private ignore(open: OpenConnection, timeNs: number): void {
    this.events.onIgnore(open.info);
    this.close(open, timeNs);
  }
}
