/** The entries of a recording, one after the other: read in large pieces, and pointed at where they lie. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { UserError } from "../errors.ts";
import { MAX_ENTRY_BYTES, padded, type RecordingHeader } from "./format.ts";
import { headerOf } from "./header.ts";

const BUFFER_BYTES = 4 << 20;
const FIX = "name a file that l7prof --record wrote";

export class Entries {
  readonly header: RecordingHeader;
  readonly memory = new ArrayBuffer(BUFFER_BYTES);
  readonly bytes = Buffer.from(this.memory);
  /** Of the current entry; its content lies at `at` of `bytes`. */
  type = 0;
  at = 0;
  length = 0;
  /** The file ended before its last entry did, or what comes is none. */
  isCutOff = false;
  /** 0: of a pipe nobody knows it. */
  readonly fileBytes: number;
  private readonly path: string;
  private readonly fd: number;
  private readBytes = 0;
  private start = 0;
  private end = 0;

  /** @throws UserError `cannot-read`, `not-a-recording` */
  constructor(path: string) {
    this.path = path;
    try {
      this.fd = openSync(path, "r");
      this.fileBytes = fstatSync(this.fd).size;
      this.fill();
    } catch (cause) {
      const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
      throw new UserError("cannot-read", `cannot read the recording ${path}: ${why}`, FIX, { cause });
    }
    this.header = this.readHeader();
  }

  /** So far, those that are only read ahead left out. */
  get doneBytes(): number {
    return this.readBytes - (this.end - this.start);
  }

  /** Goes to the next entry; false if there is none. `onRelease`: those so far lose their memory. */
  next(onRelease: () => void): boolean {
    if (!this.has(8, onRelease)) return this.cutOff();
    const type = this.bytes.readUInt32LE(this.start);
    const length = this.bytes.readUInt32LE(this.start + 4);
    const size = 8 + padded(length);
    if (length > MAX_ENTRY_BYTES || !this.has(size, onRelease)) return this.cutOff();
    this.type = type;
    this.length = length;
    this.at = this.start + 8;
    this.start += size;
    return true;
  }

  /** Always false. */
  cutOff(): boolean {
    this.isCutOff = true;
    return false;
  }

  close(): void {
    closeSync(this.fd);
  }

  private readHeader(): RecordingHeader {
    try {
      const { header, end } = headerOf(this.bytes.subarray(0, this.end));
      this.start = end;
      return header;
    } catch (cause) {
      this.close();
      throw new UserError("not-a-recording", `${this.path} is not a recording of l7prof`, FIX, { cause });
    }
  }

  private has(bytes: number, onRelease: () => void): boolean {
    if (this.end - this.start >= bytes) return true;
    onRelease();
    this.fill();
    return this.end >= bytes;
  }

  /** Reads on, behind what there is. */
  private fill(): void {
    this.bytes.copyWithin(0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
    while (this.end < BUFFER_BYTES) {
      const count = readSync(this.fd, this.bytes, this.end, BUFFER_BYTES - this.end, null);
      if (count === 0) break;
      this.end += count;
      this.readBytes += count;
    }
  }
}
