/**
 * The line from a kernel record to the profile: decode → stream → message → exchange → sample and aggregate.
 * Live and replay run the same; the records come from outside, and so does the time.
 */
import { addressText } from "./address.ts";
import { Aggregate } from "./aggregate.ts";
import type { Joint } from "./both-sides.ts";
import { CaptureCounters } from "./capture.ts";
import { Connection, type ConnectionContext } from "./connection.ts";
import { ConnectionTable, MAX_CONNECTIONS, type OpenConnection, openConnection, setPeer } from "./connections.ts";
import {
  EVENT_BOUND,
  EVENT_DATA,
  EVENT_OPAQUE,
  EVENT_OPEN,
  EVENT_PEER,
  EVENT_PROCESS,
  EVENT_REFUSED,
  EVENT_STATE,
  EVENT_TCP,
  EVENT_UNREADABLE,
  FLAG_CIPHER,
  FLAG_END,
  FLAG_WRITE,
  PROCESS_ENDED,
  type RecordCursor,
} from "./decode.ts";
import type { Edge } from "./edge.ts";
import type { Exchange } from "./exchange.ts";
import { looksLike } from "./http1/detect.ts";
import { OpaqueConnections, type OpaqueEvents } from "./opaque.ts";
import type { Focus } from "./overview.ts";
import { ProcessNames } from "./process-names.ts";
import type { Instant, Metrics, Place, Sample, SamplingRule, Side, Total, Window } from "./profile.ts";
import { Sampler } from "./sampler.ts";
import { TargetTable } from "./target.ts";
import { UnreadableWarnings } from "./unreadable.ts";

export interface ProfilerOptions {
  readonly rules: readonly SamplingRule[];
  readonly matchRule: (path: string) => number;
  readonly route: (path: string) => string;
  readonly maxEndpoints: number;
  readonly groupBy: "host" | "status" | null;
  readonly histograms: boolean;
  /** Windows and totals have `endpoints`, too. */
  readonly mergesEndpoints: boolean;
  readonly topN: number;
  readonly maxSamplesPerSecond: number;
  readonly onlyTraced: boolean;
  readonly traceId: string | null;
  readonly showSecrets: boolean;
  readonly keepsWire: boolean;
  /** CLOCK_MONOTONIC nanoseconds → epoch microseconds. */
  readonly toEpochUs: (monotonicNs: number) => number;
  readonly toInstant: (monotonicNs: number) => Instant;
}

/** Bytes of one direction of a connection that are known to be body. */
export interface PassedStretch {
  /** Inode number of the socket. */
  readonly id: number;
  readonly isWrite: boolean;
  /** Where in the stream they end, modulo 2^32. */
  readonly position: number;
}

/** What happens while records are read. */
export interface ProfilerEvents extends OpaqueEvents {
  onSample(sample: Sample): void;
  /** Both are valid during the call alone. */
  onExchange?: ((edge: Edge, exchange: Exchange) => void) | undefined;
  onWarning(code: string, message: string, timeNs: number): void;
  /** A connection carries something else: the kernel need not report it any more. */
  onIgnore(connection: { readonly socket: bigint; readonly id: number; readonly pid: number }): void;
  /** Up to a position the kernel need not copy what goes by. */
  onPass(stretch: PassedStretch): void;
  /** The name of a process that no record named; "" if it is not known. */
  nameOf(pid: number): string;
  /** Where the process runs, if that can be seen. */
  placeOf(pid: number): Place;
  /** The name of an address; null as long as none is known. */
  hostOf(address: string): string | null;
}

/** Trace contexts often stand behind long cookies. */
const MIN_REQUEST_BYTES = 8192;
const LARGE_COPY_BYTES = 32_768;
const TCP_FIN_WAIT1 = 4;
const MAX_LINGER_NS = 10e9;
/** Requests that wait, of all connections: as many as there are connections, or pipelines of some of them. */
const MAX_WAITING = MAX_CONNECTIONS;
const TCP_CLOSE = 7;
const MAX_CLOSING = 4096;
/** Calls of two processes come within moments of each other; a sample waits no longer for its other side. */
const MAX_APART_NS = 1e9;
const SHUTDOWN_IN = 1;
const SHUTDOWN_OUT = 2;
const SHUTDOWN_BOTH = 3;

export class Profiler {
  readonly counters = new CaptureCounters();
  private readonly options: ProfilerOptions;
  private readonly events: ProfilerEvents;
  private readonly names: ProcessNames;
  private readonly aggregate: Aggregate;
  private readonly sampler: Sampler;
  private readonly table = new ConnectionTable((sample) => this.events.onSample(sample));
  private readonly context: ConnectionContext;
  private readonly unreadable: UnreadableWarnings;
  /** Requests that wait for their response. */
  private waiting = 0;
  private readonly opaqueConnections: OpaqueConnections;
  /** Connections with records that wait for others. */
  private readonly withHeld = new Set<OpenConnection>();
  /** Connections that have ended before all was read from them, and until when to wait for that: no call may come. */
  private readonly lingering = new Map<OpenConnection, number>();
  /** Connections that the process has closed, while TCP still sees to what it wrote. */
  /** Those that may hold samples back. */
  private readonly joints = new Set<Joint>();
  private readonly closing = new Map<number, OpenConnection>();

  constructor(options: ProfilerOptions, events: ProfilerEvents) {
    this.options = options;
    this.events = events;
    this.names = new ProcessNames((pid) => events.nameOf(pid));
    this.aggregate = new Aggregate({ ...options, commOf: (pid) => this.names.of(pid), ...boundTo(events) });
    this.sampler = new Sampler(options);
    this.unreadable = new UnreadableWarnings(events);
    this.opaqueConnections = new OpaqueConnections(events, this.unreadable, this.table);
    this.context = this.createContext();
  }

  /** One record, in the order of the ring. The hot path. */
  receive(record: RecordCursor): void {
    this.counters.events++;
    const { kind } = record;
    if (kind === EVENT_DATA) this.data(record);
    else if (kind === EVENT_OPEN) this.open(record);
    else if (kind === EVENT_STATE) this.stateChanged(record);
    else if (kind === EVENT_OPAQUE) this.opaque(record);
    else if (kind === EVENT_UNREADABLE) this.unreadableConnection(record);
    else if (kind === EVENT_PROCESS) this.process(record);
    else if (kind === EVENT_PEER) this.peer(record);
    else if (kind === EVENT_TCP) this.tcp(record);
    else if (kind === EVENT_REFUSED) this.refused(record);
    else if (kind === EVENT_BOUND) this.opaqueConnections.bound(record.connection, record.session);
  }

  /** The memory of the records read so far goes. */
  releaseRecords(): void {
    for (const message of this.context.unsettled) message.settle();
    this.context.unsettled.length = 0;
  }

  /** Call now and then: lets go of what waited too long. */
  tick(nowNs: number): void {
    this.opaqueConnections.tick(nowNs);
    for (const open of this.withHeld) this.releaseHeld(open, nowNs);
    for (const connection of this.context.onTrial) connection.settleTrial(nowNs);
    for (const joint of this.joints) this.releaseJoint(joint, nowNs - MAX_APART_NS);
    for (const [open, deadlineNs] of this.lingering) if (nowNs > deadlineNs) this.ignore(open, nowNs);
  }

  /** No more records will come. */
  finish(timeNs: number): void {
    for (const connection of this.context.onTrial) connection.endTrial();
    this.opaqueConnections.finish();
    this.unreadable.tellCounts(timeNs);
  }

  /** The exchanges since the last call, as of `timeUs`, `windowMs` long. */
  endWindow(timeUs: number, windowMs: number): Window {
    const window = this.window("window", timeUs, windowMs);
    this.aggregate.endWindow();
    return window;
  }

  /** The whole run. */
  total(timeUs: number, windowMs: number): Total {
    for (const joint of this.joints) this.releaseJoint(joint, Number.POSITIVE_INFINITY);
    for (const open of this.table.values()) open.traffic.settleFinally();
    this.aggregate.endWindow();
    this.aggregate.restore();
    this.sampler.restore();
    return this.soFar(timeUs, windowMs);
  }

  /** From the start, or the last reset, to the end of the last window. */
  soFar(timeUs: number, windowMs: number): Total {
    return {
      ...this.window("total", timeUs, windowMs),
      top: this.sampler.slowest(),
      samplesHeldBack: this.sampler.heldBack,
    };
  }

  /** With their buckets, over the same time as `soFar`. */
  distributions(focus: Focus, windowMs: number): Metrics {
    return this.aggregate.distributions(focus, windowMs);
  }

  /** `soFar` begins anew, `total` does not. */
  reset(): void {
    this.aggregate.reset();
    this.sampler.reset();
  }

  private window(scope: "window" | "total", timeUs: number, windowMs: number): Window {
    const edges = this.aggregate.profile(scope, windowMs);
    const window = { timeUs, windowMs, edges, capture: this.counters.snapshot(), ...this.unreadableTls() };
    return this.options.mergesEndpoints ? { ...window, endpoints: this.aggregate.endpoints(scope, windowMs) } : window;
  }

  private unreadableTls() {
    const unreadableTls = this.opaqueConnections.profile();
    return unreadableTls.length > 0 ? { unreadableTls } : {};
  }

  private data(record: RecordCursor): void {
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
    if (!open.held.isEmpty || connection.isAhead(record)) this.hold(open, connection, record);
    else connection.receive(record);
    if (record.headBytes >= LARGE_COPY_BYTES) this.passBody(connection, record);
    if (connection.isNotHttp) this.ignore(open, record.timeNs);
    else if ((record.flags & FLAG_END) !== 0 && this.lingering.has(open)) this.close(open, record.timeNs);
  }

  private passBody(connection: Connection, record: RecordCursor): void {
    const position = connection.passesUpTo(record);
    if (position === undefined) return;
    this.events.onPass({ id: record.connection, isWrite: (record.flags & FLAG_WRITE) !== 0, position });
  }

  private open(record: RecordCursor): void {
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

  private stateChanged(record: RecordCursor): void {
    const open = this.table.get(record.connection);
    const { state, shutdown, hasUnread } = record;
    if (open === undefined) {
      if (state !== TCP_CLOSE) return;
      this.closing.delete(record.connection);
      this.opaqueConnections.closed(record.connection);
      return;
    }
    // The peer's FIN shuts what comes in, too, but what came before it may yet be read: a read of 0 ends that.
    const isClosed = (state === TCP_CLOSE && !hasUnread) || (state === TCP_FIN_WAIT1 && shutdown === SHUTDOWN_BOTH);
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
    else if (hasUnread) this.lingering.set(open, record.timeNs + MAX_LINGER_NS);
  }

  /** It goes on as before: what can't be read shows as missing. */
  private unreadableConnection(record: RecordCursor): void {
    this.names.learn(record.pid, record.comm);
    const open = this.table.get(record.connection) ?? openConnection(record);
    this.unreadable.warn("io-uring", "io_uring, not readable: counts are too low", open, false);
    this.unreadable.count("io-uring", "io_uring, not readable", open);
  }

  private opaque(record: RecordCursor): void {
    const known = this.table.get(record.connection);
    if (known !== undefined) this.close(known, record.timeNs); // its end was not seen
    this.names.learn(record.pid, record.comm);
    this.opaqueConnections.opened(openConnection(record));
  }

  private process(record: RecordCursor): void {
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
  private peer(record: RecordCursor): void {
    const open = this.table.get(record.connection);
    const peer = { pid: record.peerPid, comm: record.comm };
    if (open === undefined) this.opaqueConnections.peer(record.connection, peer);
    else if (open.other === null) setPeer(open, peer);
  }

  private tcp(record: RecordCursor): void {
    const { connection } = record;
    const open =
      this.table.get(connection) ?? this.closing.get(connection) ?? this.opaqueConnections.sessionOn(connection);
    open?.traffic.sample(record);
  }

  private refused(record: RecordCursor): void {
    this.names.learn(record.pid, record.comm);
    const address = addressText(record.refusedFamily, record.refusedAddress);
    this.aggregate.failedConnect(record.pid, address, record.refusedPort);
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

  private createContext(): ConnectionContext {
    const { rules, matchRule, route, groupBy } = this.options;
    const keeps = (part: "request" | "response") => rules.filter(({ keep }) => keep === part || keep === "both");
    // A request is kept even for rules that keep none of it: its URI and trace context are part of a sample.
    const requestLimit = Math.max(MIN_REQUEST_BYTES, ...keeps("request").map((rule) => rule.maxRequestBytes));
    const responseLimit = Math.max(256, ...keeps("response").map((rule) => rule.maxResponseBytes));
    return {
      counters: this.counters,
      targets: new TargetTable({ route, rule: matchRule }),
      maxRequestBytes: requestLimit,
      maxResponseBytes: responseLimit,
      wantsHost: groupBy === "host",
      unsettled: [],
      onTrial: new Set(),
      onRequest: (connection, exchange) => this.requestSeen(connection, exchange),
      onExchange: (connection, exchange) => this.exchangeDone(connection, exchange),
      onAbandoned: (_connection, exchange) => this.leaveEdge(exchange),
    };
  }

  private meet(joint: Joint, edge: Edge, exchange: Exchange, isShown: boolean): void {
    joint.meet(exchange, edge, this.sampler.built, isShown);
    if (isShown) this.joints.add(joint);
  }

  private releaseJoint(joint: Joint, beforeNs: number): void {
    joint.release(beforeNs);
    if (!joint.holdsSamples) this.joints.delete(joint);
  }

  private requestSeen(connection: Connection, exchange: Exchange): void {
    const edge = this.aggregate.edgeOf(connection, exchange.pid);
    exchange.edge = edge;
    edge.inFlight++;
    if (++this.waiting > MAX_WAITING) connection.letGo();
  }

  private exchangeDone(connection: Connection, exchange: Exchange): void {
    this.leaveEdge(exchange);
    const edge = this.aggregate.record(connection, exchange);
    connection.traffic.settle(edge);
    this.events.onExchange?.(edge, exchange);
    const sample = this.sampler.consider(edge, exchange, connection);
    const { joint } = connection;
    if (joint !== null) this.meet(joint, edge, exchange, sample !== undefined);
    else if (sample !== undefined) this.events.onSample(sample);
  }

  private leaveEdge(exchange: Exchange): void {
    if (exchange.edge === null) return;
    exchange.edge.inFlight--;
    exchange.edge = null;
    this.waiting--;
  }
}

function boundTo(events: ProfilerEvents) {
  return {
    placeOf: (pid: number) => events.placeOf(pid),
    hostOf: (address: string) => events.hostOf(address),
  };
}
