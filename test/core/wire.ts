/**
 * Kernel records from a readable script: `connection.read("GET / HTTP/1.1\r\n\r\n")` makes the bytes of the record that
 * bpf/events.h defines, with the positions that TCP would have come to, and hands them on at once.
 */
import {
  EVENT_BOUND,
  EVENT_DATA,
  EVENT_OPAQUE,
  EVENT_OPEN,
  EVENT_PEER,
  EVENT_PROCESS,
  EVENT_STATE,
  FLAG_ABSOLUTE,
  FLAG_CIPHER,
  FLAG_END,
  FLAG_FRESH,
  FLAG_LATE,
  FLAG_QUIC,
  FLAG_TLS,
  FLAG_WRITE,
  LAYOUT,
  SIZES,
} from "../../src/core/record-layout.ts";

export const TCP_CLOSE_WAIT = 8;
export const TCP_FIN_WAIT1 = 4;
export const TCP_CLOSE = 7;
export const TCP_LAST_ACK = 9;
export const SHUTDOWN_IN = 1;
export const SHUTDOWN_OUT = 2;
export const MORE_UNREAD = 1;
export const MORE_RETURNING = 2;
export const MORE_IN_LIBRARY = 4;
export const SHUTDOWN_BOTH = 3;

/** Each record takes a millisecond. */
export const START_NS = 5e12;
const NS_PER_MS = 1e6;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;

export interface WireOptions {
  readonly id?: number;
  readonly socket?: bigint;
  readonly pid?: number;
  readonly comm?: string;
  /** `ip:port`, with `[…]:port` for IPv6. */
  readonly local?: string;
  readonly remote?: string;
  /** Inode number of the network namespace. */
  readonly network?: number;
  /** Where TCP's streams in and out began; unix: the halves of the other end's `socket`. None: as old recordings. */
  readonly bases?: readonly [inBase: number, outBase: number];
  /** The path of a unix socket: then there are no addresses and no absolute positions. */
  readonly unix?: string;
  /** A TLS session: its `id` is that of sessions. Unknown: on which connection it runs. */
  readonly tls?: "known" | "unknown";
  /** Nothing went over it before; a TCP connection may tell. */
  readonly isFresh?: boolean;
  /** Where the two streams begin, modulo 2^32. */
  readonly inStart?: number;
  readonly outStart?: number;
}

/** How much of a call the kernel copied; all of it unless told. */
export interface Copied {
  readonly head?: number;
  readonly tail?: number;
  readonly pid?: number;
  /** The call read the peer's FIN with its last bytes, so that TCP's count of what was read is one higher. */
  readonly withFin?: boolean;
  /** CALL_… of bpf/events.h. */
  readonly call?: number;
  readonly flags?: number;
  readonly retransmits?: number;
  readonly srttUs?: number;
}

export class Wire {
  /** Of the next record; each takes a millisecond. */
  timeNs = START_NS;
  private deliver: (record: Uint8Array) => void;
  private nextId = 1000;

  constructor(deliver: (record: Uint8Array) => void) {
    this.deliver = deliver;
  }

  wait(ms: number): this {
    this.timeNs += ms * NS_PER_MS;
    return this;
  }

  connection(options: WireOptions = {}): WireConnection {
    return new WireConnection(this, { id: this.nextId++, ...options });
  }

  process(what: number, pid: number, comm = "", parent = 0): void {
    const record = this.record("process_event", EVENT_PROCESS, { connection: 0, pid, flags: 0 });
    put(record, LAYOUT.process_event.what, what);
    put(record, LAYOUT.process_event.parent, parent);
    putText(record, LAYOUT.process_event.comm, comm);
    this.send(record);
  }

  /** What `step` makes is delivered when the answer is called, with the times at which it was made. */
  later(step: () => void): () => void {
    const kept: Uint8Array[] = [];
    const { deliver } = this;
    this.deliver = (record) => void kept.push(record);
    step();
    this.deliver = deliver;
    return () => kept.forEach((record) => void this.deliver(record));
  }

  /** What `step` makes is lost: the kernel had no room for it. */
  lost(step: () => void): void {
    this.later(step);
  }

  send(record: DataView): void {
    this.deliver(new Uint8Array(record.buffer));
    this.timeNs += NS_PER_MS;
  }

  record(
    kind: keyof typeof SIZES,
    number: number,
    event: { connection: number; pid: number; flags: number },
    payloadBytes = 0,
  ): DataView {
    const record = new DataView(new ArrayBuffer((SIZES[kind] + payloadBytes + 7) & ~7));
    put(record, LAYOUT.event.time_ns, this.timeNs);
    put(record, LAYOUT.event.connection, event.connection);
    put(record, LAYOUT.event.pid, event.pid);
    put(record, LAYOUT.event.tid, event.pid);
    put(record, LAYOUT.event.kind, number);
    put(record, LAYOUT.event.flags, event.flags);
    return record;
  }
}

/** One end of a connection, as its process reads and writes. */
export class WireConnection {
  readonly wire: Wire;
  readonly id: number;
  pid: number;
  private readonly options: WireOptions;
  private inPosition: number;
  private outPosition: number;
  private isOpen = false;
  private isUnknown: boolean;

  constructor(wire: Wire, options: WireOptions & { id: number }) {
    this.wire = wire;
    this.options = options;
    this.id = options.id;
    this.pid = options.pid ?? 10;
    this.inPosition = options.inStart ?? 0;
    this.outPosition = options.outStart ?? 0;
    this.isUnknown = options.tls === "unknown";
  }

  get isUnix(): boolean {
    return this.options.unix !== undefined;
  }

  /** The process read `content` in one call. */
  read(content: string | Uint8Array, copied: Copied = {}): this {
    return this.data(content, copied, false);
  }

  write(content: string | Uint8Array, copied: Copied = {}): this {
    return this.data(content, copied, true);
  }

  /** Went through no call that could be seen; only TCP's own positions tell. */
  unseenRead(content: string | number): this {
    this.inPosition = (this.inPosition + (typeof content === "string" ? content.length : content)) >>> 0;
    return this;
  }

  unseenWrite(content: string | number): this {
    this.outPosition = (this.outPosition + (typeof content === "string" ? content.length : content)) >>> 0;
    return this;
  }

  /** A read returned 0; in TCP the FIN takes a place in the stream. */
  readEnd(): this {
    if (!this.isUnix) this.unseenRead(1);
    this.announce(false);
    this.send(this.dataRecord(0, this.inPosition, this.outPosition, FLAG_END, this.pid));
    return this;
  }

  /** `more`: MORE_… of bpf/events.h. */
  state(state: number, shutdown: number, more = 0): this {
    const record = this.wire.record("state_event", EVENT_STATE, this.event(this.absolute));
    put(record, LAYOUT.state_event.state, state);
    put(record, LAYOUT.state_event.shutdown, shutdown);
    put(record, LAYOUT.state_event.has_more, more);
    put(record, LAYOUT.state_event.in_position, this.inPosition);
    put(record, LAYOUT.state_event.out_position, this.outPosition);
    this.wire.send(record);
    return this;
  }

  close(): this {
    return this.state(TCP_CLOSE, SHUTDOWN_BOTH);
  }

  /** First sight of it, at a call that moves bytes in the direction. */
  open(isWrite = false): this {
    this.isOpen = true;
    return this.openRecord(EVENT_OPEN, isWrite);
  }

  opaque(isWrite = false): this {
    return this.openRecord(EVENT_OPAQUE, isWrite);
  }

  /** The kernel side names the process at the other end. */
  peer(pid: number, comm: string): this {
    const record = this.wire.record("peer_event", EVENT_PEER, this.event(0));
    put(record, LAYOUT.peer_event.pid, pid);
    putText(record, LAYOUT.peer_event.comm, comm);
    this.wire.send(record);
    return this;
  }

  /** A UDP socket over which a datagram with QUIC's long header went. */
  quic(isWrite = false): this {
    return this.openRecord(EVENT_OPAQUE, isWrite, FLAG_QUIC);
  }

  /** Its calls, with the first bytes of those that have a long header. */
  datagram(bytes: number, header: Uint8Array, isWrite = false): this {
    const flags = FLAG_CIPHER | (isWrite ? FLAG_WRITE : 0);
    const record = this.dataRecord(bytes, 0, 0, flags, this.pid, header.length);
    put(record, LAYOUT.data_event.head_bytes, header.length);
    new Uint8Array(record.buffer, SIZES.data_event).set(header);
    this.send(record);
    return this;
  }

  /** Ciphertext of an opaque connection went by. */
  cipher(bytes: number, flags = 0): this {
    this.send(this.dataRecord(bytes, 0, 0, FLAG_CIPHER | flags, this.pid));
    return this;
  }

  /** The session of an opaque connection is known; late: it had begun before its library was probed. */
  bound(session?: WireConnection, isLate = false): this {
    const record = this.wire.record("bound_event", EVENT_BOUND, this.event(isLate ? FLAG_LATE : 0));
    put(record, LAYOUT.bound_event.session, session?.id ?? 0);
    this.send(record);
    return this;
  }

  /** A TLS session shows on which connection it runs. */
  learn(): this {
    this.isUnknown = false;
    return this.open();
  }

  private data(content: string | Uint8Array, copied: Copied, isWrite: boolean): this {
    const bytes = typeof content === "string" ? Buffer.from(content, "latin1") : content;
    const head = copied.head ?? bytes.length - (copied.tail ?? 0);
    const tail = copied.tail ?? 0;
    if (copied.withFin) this.unseenRead(1);
    const position = isWrite ? this.outPosition : this.inPosition;
    if (isWrite) this.unseenWrite(bytes.length);
    else this.unseenRead(bytes.length);
    this.announce(isWrite);
    const other = isWrite ? this.inPosition : this.outPosition;
    const pid = copied.pid ?? this.pid;
    const flags = (isWrite ? FLAG_WRITE : 0) | (copied.flags ?? 0);
    const record = this.dataRecord(bytes.length, position, other, flags, pid, head + tail);
    put(record, LAYOUT.event.call, copied.call ?? 0);
    put(record, LAYOUT.event.retransmits, copied.retransmits ?? 0);
    put(record, LAYOUT.data_event.srtt_us, copied.srttUs ?? 0);
    put(record, LAYOUT.data_event.head_bytes, head);
    put(record, LAYOUT.data_event.tail_bytes, tail);
    const payload = new Uint8Array(record.buffer, SIZES.data_event);
    payload.set(bytes.subarray(0, head));
    payload.set(bytes.subarray(bytes.length - tail), head);
    this.send(record);
    return this;
  }

  private announce(isWrite: boolean): void {
    if (this.isOpen) return;
    const { timeNs } = this.wire;
    this.open(isWrite);
    this.wire.timeNs = timeNs; // the same call
  }

  private dataRecord(length: number, position: number, other: number, flags: number, pid: number, payloadBytes = 0) {
    const event = { connection: this.id, pid, flags: flags | this.absolute | this.tls };
    const record = this.wire.record("data_event", EVENT_DATA, event, payloadBytes);
    put(record, LAYOUT.data_event.length, length);
    put(record, LAYOUT.data_event.position, position);
    put(record, LAYOUT.data_event.other_position, other);
    return record;
  }

  private openRecord(kind: number, isWrite: boolean, flags = 0): this {
    const { unix, comm, isFresh, socket } = this.options;
    const fresh = (isFresh ?? true) && unix === undefined ? FLAG_FRESH : 0;
    const record = this.wire.record("open_event", kind, this.event(flags | fresh | (isWrite ? FLAG_WRITE : 0)));
    put(record, LAYOUT.open_event.socket, socket ?? BigInt(this.id) * 64n);
    putText(record, LAYOUT.open_event.comm, comm ?? "server");
    put(record, LAYOUT.open_event.in_base, this.options.bases?.[0] ?? 0);
    put(record, LAYOUT.open_event.out_base, this.options.bases?.[1] ?? 0);
    if (this.isUnknown) put(record, LAYOUT.open_event.family, 0);
    else if (unix === undefined) this.putAddresses(record);
    else this.putPath(record, unix);
    this.wire.send(record);
    return this;
  }

  private putAddresses(record: DataView): void {
    const local = parseAddress(this.options.local ?? "10.0.0.1:80");
    const remote = parseAddress(this.options.remote ?? `10.0.0.2:${40_000 + (this.id % 10_000)}`);
    put(record, LAYOUT.open_event.family, local.bytes.length === 4 ? AF_INET : AF_INET6);
    put(record, LAYOUT.open_event.local_port, local.port);
    put(record, LAYOUT.open_event.remote_port, remote.port);
    put(record, LAYOUT.open_event.network, this.options.network ?? 1);
    new Uint8Array(record.buffer, LAYOUT.open_event.local[0]).set(local.bytes);
    new Uint8Array(record.buffer, LAYOUT.open_event.remote[0]).set(remote.bytes);
  }

  private putPath(record: DataView, path: string): void {
    put(record, LAYOUT.open_event.family, AF_UNIX);
    put(record, LAYOUT.open_event.path_bytes, path.length);
    putText(record, LAYOUT.open_event.path, path);
  }

  private event(flags: number) {
    return { connection: this.id, pid: this.pid, flags: flags | this.tls };
  }

  private get tls(): number {
    return this.options.tls === undefined ? 0 : FLAG_TLS;
  }

  private get absolute(): number {
    return this.isUnix || this.tls !== 0 ? 0 : FLAG_ABSOLUTE;
  }

  private send(record: DataView): void {
    this.wire.send(record);
  }
}

type Field = readonly [offset: number, size: number];

function put(record: DataView, [offset, size]: Field, value: number | bigint): void {
  if (size === 1) record.setUint8(offset, Number(value));
  else if (size === 2) record.setUint16(offset, Number(value), true);
  else if (size === 4) record.setUint32(offset, Number(value), true);
  else record.setBigUint64(offset, BigInt(value), true);
}

function putText(record: DataView, [offset, size]: Field, text: string): void {
  new Uint8Array(record.buffer, offset, size).set(Buffer.from(text).subarray(0, size));
}

function parseAddress(text: string): { bytes: Uint8Array; port: number } {
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, colon).replace(/[[\]]/g, "");
  const port = Number(text.slice(colon + 1));
  if (!host.includes(":")) return { bytes: Uint8Array.from(host.split("."), Number), port };
  const [before = "", after = ""] = host.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const zeros = new Array<number>(8 - groups(before).length - groups(after).length).fill(0);
  const all = [...groups(before), ...zeros, ...groups(after)];
  return { bytes: Uint8Array.from(all.flatMap((group) => [group >> 8, group & 255])), port };
}
