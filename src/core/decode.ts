/**
 * The records of bpf/events.h, read in place: a `RecordCursor` is moved from record to record over the ring's memory and
 * holds nothing itself, so reading an event allocates nothing.
 */
import {
  EVENT_BOUND,
  EVENT_DATA,
  EVENT_DROP,
  EVENT_MAPPED,
  EVENT_PEER,
  EVENT_PROCESS,
  EVENT_REFUSED,
  EVENT_STATE,
  EVENT_TCP,
  FLAG_TIMED,
  FLAG_TLS,
  LAYOUT,
  SIZES,
} from "./record-layout.ts";

/** Of the start of a call, which stands behind the payload. */
const START_BYTES = 8;

const DECODER = new TextDecoder();

const COMM_AT: Readonly<Record<number, number>> = {
  [EVENT_PROCESS]: LAYOUT.process_event.comm[0],
  [EVENT_PEER]: LAYOUT.peer_event.comm[0],
  [EVENT_REFUSED]: LAYOUT.refused_event.comm[0],
};

/** Of those that are always as long; the kinds that are not here are like EVENT_OPEN. */
const SIZE_OF_KIND: Readonly<Record<number, number>> = {
  [EVENT_STATE]: SIZES.state_event,
  [EVENT_PROCESS]: SIZES.process_event,
  [EVENT_PEER]: SIZES.peer_event,
  [EVENT_TCP]: SIZES.tcp_event,
  [EVENT_DROP]: SIZES.drop_event,
  [EVENT_REFUSED]: SIZES.refused_event,
  [EVENT_BOUND]: SIZES.bound_event,
  [EVENT_MAPPED]: SIZES.mapped_event,
};

/** What the numbers of TLS sessions begin at, so that they are told from inode numbers. */
export const firstSession = 2 ** 32;

export class RecordCursor {
  /** The memory that the records lie in; `payload` offsets are into it. */
  bytes: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  private words: Uint32Array<ArrayBufferLike> = new Uint32Array(0);
  private halves: Uint16Array<ArrayBufferLike> = new Uint16Array(0);
  /** Byte offset of the current record, a multiple of 8. */
  private at = 0;
  private word = 0;

  /** Reads from this memory, which begins at a multiple of 8 and is a multiple of 4 long. */
  setMemory(memory: ArrayBufferLike): void {
    this.bytes = new Uint8Array(memory);
    this.words = new Uint32Array(memory);
    this.halves = new Uint16Array(memory);
  }

  moveTo(offset: number): void {
    this.at = offset;
    this.word = offset >>> 2;
  }

  /** Bytes of the record as it stands, its payload included. */
  get size(): number {
    if (this.kind === EVENT_DATA) return this.isTimed ? this.startOffset + START_BYTES : this.endOfPayload;
    return SIZE_OF_KIND[this.kind] ?? SIZES.open_event;
  }

  /** Where in `bytes` the record begins. */
  get offset(): number {
    return this.at;
  }

  /** Whether a record of `length` bytes holds what its kind says: asked of what comes from a file. */
  fits(length: number): boolean {
    if (length < SIZES.event) return false;
    return length >= (this.kind === EVENT_DATA ? SIZES.data_event : 0) && length >= this.size;
  }

  /** A cursor over a copy of the record, which outlives the ring's memory. */
  copy(): RecordCursor {
    const memory = new ArrayBuffer((this.size + 7) & ~7);
    new Uint8Array(memory).set(this.bytes.subarray(this.at, this.at + this.size));
    const cursor = new RecordCursor();
    cursor.setMemory(memory);
    return cursor;
  }

  /** CLOCK_MONOTONIC, nanoseconds; exact for 104 days of uptime, then within 2 ns. */
  get timeNs(): number {
    return this.words[this.word]! + this.words[this.word + 1]! * 0x1_0000_0000;
  }
  /** Inode number of the socket, or the number of a TLS session, from firstSession on. */
  get connection(): number {
    const number = this.words[this.word + 2]!;
    return (this.flags & FLAG_TLS) === 0 ? number : number + firstSession;
  }
  get pid(): number {
    return this.words[this.word + 3]!;
  }
  get tid(): number {
    return this.words[this.word + 4]!;
  }
  get kind(): number {
    return this.bytes[this.at + 20]!;
  }
  get flags(): number {
    return this.bytes[this.at + 21]!;
  }
  get call(): number {
    return this.bytes[this.at + 22]!;
  }

  /** With FLAG_RETRANSMITS: segments that the connection has sent again so far, modulo 256. */
  get retransmitCount(): number {
    return this.bytes[this.at + 23]!;
  }

  /** It is known when the call began. */
  get isTimed(): boolean {
    return (this.flags & FLAG_TIMED) !== 0;
  }

  /** When the call began, if that is known (CLOCK_MONOTONIC, nanoseconds). */
  get startNs(): number {
    const word = this.word + (this.startOffset >>> 2);
    return this.words[word]! + this.words[word + 1]! * 0x1_0000_0000;
  }

  /** From the beginning of the record on. */
  private get endOfPayload(): number {
    return SIZES.data_event + this.headBytes + this.tailBytes;
  }

  private get startOffset(): number {
    return (this.endOfPayload + 7) & ~7;
  }

  // data_event
  get length(): number {
    return this.words[this.word + 6]!;
  }
  get headBytes(): number {
    return this.words[this.word + 7]!;
  }
  get tailBytes(): number {
    return this.words[this.word + 8]!;
  }
  /** Modulo 2^32, and signed: V8 keeps a number up to 2^31 in place, and makes an object of a greater one. */
  get position(): number {
    return this.words[this.word + 9]! | 0;
  }
  get otherPosition(): number {
    return this.words[this.word + 10]! | 0;
  }
  get srttUs(): number {
    return this.words[this.word + 11]!;
  }
  /** Where in `bytes` the payload begins: head_bytes, then tail_bytes. */
  get payload(): number {
    return this.at + SIZES.data_event;
  }

  /** Eight words that tell of the call: time (two), thread, the bytes from `kind` on, length, positions, srtt. */
  copyCall(into: Uint32Array, at: number): void {
    const { words, word } = this;
    into[at] = words[word]!;
    into[at + 1] = words[word + 1]!;
    into[at + 2] = words[word + 4]!;
    into[at + 3] = words[word + 5]!;
    into[at + 4] = words[word + 6]!;
    into[at + 5] = words[word + 9]!;
    into[at + 6] = words[word + 10]!;
    into[at + 7] = words[word + 11]!;
  }

  /** It tells of the same call as these words of `copyCall`: of one that moved much there are several records. */
  continuesCall(words: Uint32Array, at: number): boolean {
    const { word } = this;
    const isSameTime = words[at] === this.words[word] && words[at + 1] === this.words[word + 1];
    return isSameTime && words[at + 2] === this.words[word + 4];
  }

  /** Stream position of the byte at `index` of `bytes`, which lies in the payload. */
  positionOf(index: number): number {
    const offset = index - this.payload;
    const skipped = offset < this.headBytes ? 0 : this.length - this.headBytes - this.tailBytes;
    return (this.position + offset + skipped) | 0;
  }

  // open_event
  get socket(): bigint {
    return BigInt(this.words[this.word + 6]!) | (BigInt(this.words[this.word + 7]!) << 32n);
  }
  get family(): number {
    return this.halves[(this.at + 32) >>> 1]!;
  }
  get localPort(): number {
    return this.halves[(this.at + 34) >>> 1]!;
  }
  get remotePort(): number {
    return this.halves[(this.at + 36) >>> 1]!;
  }
  get local(): Uint8Array {
    return this.bytes.subarray(this.at + 40, this.at + 56);
  }
  get remote(): Uint8Array {
    return this.bytes.subarray(this.at + 56, this.at + 72);
  }
  get path(): Uint8Array {
    return this.bytes.subarray(this.at + 96, this.at + 96 + Math.min(this.halves[(this.at + 38) >>> 1]!, 108));
  }
  get network(): number {
    return this.words[this.word + 18]!;
  }
  get inBase(): number {
    return this.words[this.word + 19]!;
  }
  get outBase(): number {
    return this.words[this.word + 51]!;
  }

  // state_event
  get state(): number {
    return this.bytes[this.at + 24]!;
  }
  get shutdown(): number {
    return this.bytes[this.at + 25]!;
  }
  get hasMore(): number {
    return this.bytes[this.at + 26]!;
  }
  get oldState(): number {
    return this.bytes[this.at + 27]!;
  }
  get inPosition(): number {
    return this.words[this.word + 7]!;
  }
  get outPosition(): number {
    return this.words[this.word + 8]!;
  }
  /** Of a state event: an errno, or 0. */
  get error(): number {
    return this.words[this.word + 9]!;
  }

  // peer_event
  get peerPid(): number {
    return this.words[this.word + 6]!;
  }

  // tcp_event
  get tcpSrttUs(): number {
    return this.words[this.word + 6]!;
  }
  get tcpRttvarUs(): number {
    return this.words[this.word + 7]!;
  }
  get retransmits(): number {
    return this.words[this.word + 8]!;
  }
  get connectUs(): number {
    return this.words[this.word + 9]!;
  }

  // drop_event
  get dropReason(): number {
    return this.words[this.word + 6]!;
  }

  // refused_event
  get refusedFamily(): number {
    return this.halves[(this.at + 24) >>> 1]!;
  }
  get refusedPort(): number {
    return this.halves[(this.at + 26) >>> 1]!;
  }
  get refusedError(): number {
    return this.words[this.word + 7]!;
  }
  get refusedUs(): number {
    return this.words[this.word + 8]!;
  }
  get refusedAddress(): Uint8Array {
    return this.bytes.subarray(this.at + 40, this.at + 56);
  }

  // process_event
  get what(): number {
    return this.bytes[this.at + 24]!;
  }
  get parent(): number {
    return this.words[this.word + 7]!;
  }

  // bound_event
  get session(): number {
    return this.words[this.word + 6]! + firstSession;
  }

  // mapped_event
  /** `device:inode` of the file, as in /proc/PID/maps. */
  get mappedFile(): string {
    const device = this.words[this.word + 8]!;
    const inode = this.words[this.word + 6]! + this.words[this.word + 7]! * 0x1_0000_0000;
    return `${device >>> 20}:${device & 0xfffff}:${inode}`;
  }

  /** Of an open, process, peer or refused event. */
  get comm(): string {
    const start = this.at + (COMM_AT[this.kind] ?? LAYOUT.open_event.comm[0]);
    let end = start;
    while (end < start + 16 && this.bytes[end] !== 0) end++;
    return DECODER.decode(this.bytes.slice(start, end));
  }
}
