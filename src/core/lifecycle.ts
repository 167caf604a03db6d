/**
 * Connections from their first record to their last: which side the process is, how they end, and what turns out to
 * be something else than HTTP/1.
 */
import type { CaptureCounters } from "./capture.ts";
import { Connection, type ConnectionContext } from "./connection.ts";
import { type ConnectionTable, type OpenConnection, openConnection, setPeer } from "./connections.ts";
import type { RecordCursor } from "./decode.ts";
import { HeldConnections } from "./held-connections.ts";
import { looksLike } from "./http1/detect.ts";
import { LingeringConnections } from "./lingering.ts";
import type { OpaqueConnections } from "./opaque.ts";
import type { ProcessNames } from "./process-names.ts";
import type { Side } from "./profile/parties.ts";
import { EVENT_STATE, FLAG_CIPHER, FLAG_END, FLAG_WRITE, PROCESS_ENDED } from "./record-layout.ts";
import type { TcpReports } from "./tcp-reports.ts";
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
}

export interface LifecycleParts {
  readonly counters: CaptureCounters;
  readonly context: ConnectionContext;
  readonly table: ConnectionTable;
  readonly names: ProcessNames;
  readonly unreadable: UnreadableWarnings;
  readonly opaqueConnections: OpaqueConnections;
  readonly tcpReports: TcpReports;
}

const LARGE_COPY_BYTES = 32_768;
const TCP_FIN_WAIT1 = 4;
const TCP_CLOSE = 7;
const SHUTDOWN_IN = 1;
const SHUTDOWN_OUT = 2;
const SHUTDOWN_BOTH = 3;

export class Lifecycle {
  private readonly events: LifecycleEvents;
  private readonly counters: CaptureCounters;
  private readonly context: ConnectionContext;
  private readonly table: ConnectionTable;
  private readonly names: ProcessNames;
  private readonly unreadable: UnreadableWarnings;
  private readonly opaqueConnections: OpaqueConnections;
  private readonly tcpReports: TcpReports;
  private readonly held = new HeldConnections();
  private readonly lingering = new LingeringConnections();

  constructor(events: LifecycleEvents, parts: LifecycleParts) {
    this.events = events;
    this.counters = parts.counters;
    this.context = parts.context;
    this.table = parts.table;
    this.names = parts.names;
    this.unreadable = parts.unreadable;
    this.opaqueConnections = parts.opaqueConnections;
    this.tcpReports = parts.tcpReports;
  }

  /** Lets go of what waited too long. A replay asks at each record. */
  tick(nowNs: number): void {
    this.held.tick(nowNs);
    if (!this.lingering.isEmpty) this.endLingering(nowNs);
  }

  private endLingering(nowNs: number): void {
    for (const [open, end] of this.lingering.overdue(nowNs)) {
      this.events.onIgnore(open.info);
      this.closed(open, end);
    }
  }

  /** At the end of the run: what TCP has ended is not open, whether its process has closed it or not. */
  finish(): void {
    for (const [open, end] of this.lingering.overdue(Number.POSITIVE_INFINITY)) this.closed(open, end);
  }

  data(record: RecordCursor): void {
    const open = this.table.get(record.connection);
    if (open === undefined) {
      if ((record.flags & FLAG_CIPHER) !== 0) this.opaqueConnections.moved(record);
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
    if (!open.held.isEmpty || connection.isAhead(record)) this.held.hold(open, connection, record);
    else connection.receive(record);
    if (record.headBytes >= LARGE_COPY_BYTES) this.passBody(connection, record);
    if (connection.isNotHttp) this.ignore(open, record.timeNs);
    else if (!this.lingering.isEmpty) this.closeLingering(open, connection, (record.flags & FLAG_END) !== 0);
  }

  private closeLingering(open: OpenConnection, connection: Connection, isAllRead: boolean): void {
    const end = this.lingering.reachedEnd(open, connection, isAllRead);
    if (end !== null) this.closed(open, end);
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
      this.context.watchedSinceNs = record.timeNs;
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

  stateChanged(record: RecordCursor): void {
    const open = this.table.get(record.connection);
    const { state, shutdown, hasMore } = record;
    if (open === undefined) {
      if (state !== TCP_CLOSE || hasMore !== 0) return;
      this.tcpReports.closed(record.connection);
      this.opaqueConnections.closed(record.connection);
      return;
    }
    // The peer's FIN shuts what comes in, too, but what came before it may yet be read: a read of 0 ends that.
    const isClosed = (state === TCP_CLOSE && hasMore === 0) || (state === TCP_FIN_WAIT1 && shutdown === SHUTDOWN_BOTH);
    if (isClosed) this.held.flush(open);
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
    if (isClosed) this.closed(open, this.lingering.endOf(open) ?? record);
    else if (hasMore !== 0) this.linger(open, record);
  }

  /** What is still to come may have come by the time that this is read. */
  private linger(open: OpenConnection, record: RecordCursor): void {
    this.lingering.add(open, record);
    if (open.connection !== null) this.closeLingering(open, open.connection, false);
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
    this.opaqueConnections.opened(openConnection(record), record.flags);
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

  /** It came to its end; what the process wrote last may still be under way. */
  private closed(open: OpenConnection, record: RecordCursor): void {
    const isUnderWay = record.kind === EVENT_STATE && record.state !== TCP_CLOSE;
    if (isUnderWay || this.opaqueConnections.isOnConnection(open.info.id)) this.tcpReports.closes(open);
    this.held.flush(open);
    open.connection?.close(record.timeNs);
    open.traffic.closed(record.kind === EVENT_STATE ? record : null);
    this.forget(open);
  }

  /** It is not followed any more. */
  private close(open: OpenConnection, timeNs: number): void {
    this.held.flush(open);
    open.connection?.close(timeNs);
    open.traffic.left();
    this.forget(open);
  }

  private forget(open: OpenConnection): void {
    this.lingering.remove(open);
    this.table.remove(open);
  }

  private ignore(open: OpenConnection, timeNs: number): void {
    this.events.onIgnore(open.info);
    this.close(open, timeNs);
  }
}
