/**
 * The kernel's ring buffer, read in place: positions and records lie in mapped memory (Documentation/bpf/ringbuf.rst
 * in the kernel), so neither a system call nor a callback is needed per event.
 */
import { RecordCursor } from "../core/decode.ts";
import { libbpf } from "./libbpf.ts";
import type { Mapping } from "./system-calls.ts";

const PAGE = 4096;
const HEADER_BYTES = 8;
const BUSY = 0x8000_0000 | 0;
const DISCARDED = 0x4000_0000;
/** Space is given back to the kernel after this much, not only when the ring is empty. */
const RELEASE_BYTES = 1 << 18;
/** x86 does not reorder loads, so what is behind a header is read after it; Atomics.load is a call that takes 16 ns. */
const IS_ORDERED = process.arch === "x64";

export class RingBuffer {
  readonly sizeBytes: number;
  private readonly consumerPage: Mapping;
  private readonly producerPages: Mapping;
  private readonly consumerPosition: BigInt64Array;
  private readonly producerPosition: Int32Array;
  /** Record headers, from the producer page on. */
  private readonly words: Int32Array;
  private readonly cursor = new RecordCursor();
  /** Bytes read since the ring was made. */
  private position = 0;
  /** 32 bits of the position that the kernel's writers had come to when it was last asked: that takes a while. */
  private reservedUpTo = 0;

  /** `sizeBytes` as the map was made: a power of two, at least a page. */
  constructor(fd: number, sizeBytes: number) {
    const { map } = libbpf();
    this.sizeBytes = sizeBytes;
    this.consumerPage = map(fd, 0, PAGE, true);
    // The data is mapped twice in a row, so that a record that wraps is in one piece.
    this.producerPages = map(fd, PAGE, PAGE + 2 * sizeBytes, false);
    this.consumerPosition = new BigInt64Array(this.consumerPage.memory, 0, 1);
    this.producerPosition = new Int32Array(this.producerPages.memory, 0, 1);
    this.words = new Int32Array(this.producerPages.memory);
    this.cursor.setMemory(this.producerPages.memory);
  }

  /**
   * Reads what is there, at most `maxBytes`; answers how many bytes that was. The cursor is valid during the call, the
   * records' memory until `onRelease` has returned.
   */
  drain(onRecord: (record: RecordCursor) => void, onRelease: () => void, maxBytes: number): number {
    const start = this.position;
    let released = start;
    while (this.position - start < maxBytes && this.readOne(onRecord)) {
      if (this.position - released >= RELEASE_BYTES) released = this.release(onRelease);
    }
    if (this.position !== released) this.release(onRelease);
    return this.position - start;
  }

  /** Lets go of what is there, unread; false if there was nothing. */
  skip(): boolean {
    if (this.isEmpty) return false;
    this.position += (this.reservedUpTo - this.position) >>> 0;
    this.giveBack();
    return true;
  }

  /** Nothing is left to read, and no record is being written. */
  get isEmpty(): boolean {
    this.reservedUpTo = Atomics.load(this.producerPosition, 0);
    return this.isReadUpTo;
  }

  close(): void {
    const { unmap } = libbpf();
    unmap(this.consumerPage.address, PAGE);
    unmap(this.producerPages.address, PAGE + 2 * this.sizeBytes);
  }

  /** Positions grow for ever; 32 bits of them tell whether they differ, since the ring is smaller. */
  private get isReadUpTo(): boolean {
    return (this.position | 0) === this.reservedUpTo;
  }

  private readOne(onRecord: (record: RecordCursor) => void): boolean {
    if (this.isReadUpTo && this.isEmpty) return false;
    const at = PAGE + (this.position & (this.sizeBytes - 1));
    const header = IS_ORDERED ? this.words[at >>> 2]! : Atomics.load(this.words, at >>> 2);
    if ((header & BUSY) !== 0) return false;
    const length = header & ~(BUSY | DISCARDED);
    if ((header & DISCARDED) === 0) {
      this.cursor.moveTo(at + HEADER_BYTES);
      onRecord(this.cursor);
    }
    this.position += (HEADER_BYTES + length + 7) & ~7;
    return true;
  }

  private release(onRelease: () => void): number {
    onRelease();
    this.giveBack();
    return this.position;
  }

  private giveBack(): void {
    Atomics.store(this.consumerPosition, 0, BigInt(this.position));
  }
}
