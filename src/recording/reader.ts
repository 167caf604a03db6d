/** A recording as a source of records. Needs no root. What is foreign or cut off is an error, after what was readable. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { RecordCursor } from "../core/decode.ts";
import type { Place } from "../core/profile/parties.ts";
import type { Target } from "../core/profile/start.ts";
import type { Ended } from "../core/profile/window.ts";
import { UserError } from "../errors.ts";
import type { Progress, Source, SourceReader } from "../source.ts";
import {
  ENTRY_DROP_REASON,
  ENTRY_END,
  ENTRY_LOST,
  ENTRY_NAME,
  ENTRY_PLACE,
  ENTRY_RECORD,
  ENTRY_TLS_LIBRARY,
  MAX_ENTRY_BYTES,
  padded,
  type RecordingHeader,
} from "./format.ts";
import { headerOf } from "./header.ts";
import { readPlace } from "./place.ts";

const BUFFER_BYTES = 4 << 20;
/** So many entries, then other work gets its turn. */
const TURN_ENTRIES = 10_000;

export class RecordingSource implements Source {
  readonly targets: readonly Target[];
  readonly startNs: number;
  readonly startUs: number;
  private isTruncated = false;
  private readonly path: string;
  private readonly fd: number;
  private readonly memory = new ArrayBuffer(BUFFER_BYTES);
  private readonly bytes = Buffer.from(this.memory);
  private readonly cursor = new RecordCursor();
  private readonly names = new Map<number, string>();
  private readonly places = new Map<number, Place>();
  private readonly size: number;
  private readBytes = 0;
  private readonly tlsLibraries = new Map<number, string>();
  private readonly dropReasons = new Map<number, string>();
  private start = 0;
  private end = 0;
  private lastNs: number;
  private ended: Ended | null = null;

  /** @throws UserError `cannot-read`, `not-a-recording` */
  constructor(path: string) {
    this.path = path;
    try {
      this.fd = openSync(path, "r");
      this.size = fstatSync(this.fd).size;
      this.fill();
    } catch (cause) {
      const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
      throw new UserError(
        "cannot-read",
        `cannot read the recording ${path}: ${why}`,
        "name a file that l7prof --record wrote",
        { cause },
      );
    }
    const header = this.readHeader();
    this.targets = header.targets;
    this.startNs = header.startNs;
    this.startUs = header.startUs;
    this.lastNs = header.startNs;
    this.cursor.setMemory(this.memory);
  }

  async run(reader: SourceReader): Promise<{ ended: Ended; endNs: number }> {
    for (let entries = 1; this.ended === null; entries++) {
      if (!this.next(reader)) break;
      if (entries % TURN_ENTRIES === 0) await new Promise(setImmediate);
    }
    reader.onTick(this.lastNs);
    return { ended: this.ended ?? "end-of-file", endNs: this.lastNs };
  }

  /** After `run`. @throws UserError `truncated-recording` when the file ended before its recording did */
  checkWhole(): void {
    if (!this.isTruncated) return;
    throw new UserError(
      "truncated-recording",
      `the recording ${this.path} is cut off; what was readable is shown`,
      "record again; l7prof was perhaps killed, or the disk full",
    );
  }

  stop(ended: Ended): void {
    this.ended ??= ended;
  }

  ignore(): void {}

  pass(): void {}

  placeOf(pid: number): Place {
    return this.places.get(pid) ?? {};
  }

  nameOf(pid: number): string {
    return this.names.get(pid) ?? "";
  }

  /** Of a pipe nobody knows the end. */
  progress(): Progress | null {
    return this.size === 0 ? null : { doneBytes: this.readBytes - (this.end - this.start), totalBytes: this.size };
  }

  tlsLibraryOf(pid: number): string {
    return this.tlsLibraries.get(pid) ?? "an unknown library";
  }

  dropReasonOf(reason: number): string {
    return this.dropReasons.get(reason) ?? "";
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
      closeSync(this.fd);
      throw new UserError(
        "not-a-recording",
        `${this.path} is not a recording of l7prof`,
        "name a file that l7prof --record wrote",
        { cause },
      );
    }
  }

  /** False at the end. */
  private next(reader: SourceReader): boolean {
    if (this.end - this.start < 8 && this.refill(reader) < 8) return this.cutOff();
    const type = this.bytes.readUInt32LE(this.start);
    const length = this.bytes.readUInt32LE(this.start + 4);
    const size = 8 + padded(length);
    if (length > MAX_ENTRY_BYTES) return this.cutOff();
    if (this.end - this.start < size && this.refill(reader) < size) return this.cutOff();
    const at = this.start + 8;
    this.start += size;
    return this.entry(type, at, length, reader);
  }

  private entry(type: number, at: number, length: number, reader: SourceReader): boolean {
    if (type === ENTRY_RECORD) return this.record(at, length, reader);
    if (type === ENTRY_LOST && length >= 16) {
      reader.onLost(Number(this.bytes.readBigUInt64LE(at)), Number(this.bytes.readBigUInt64LE(at + 8)));
    } else if (type === ENTRY_PLACE && length >= 4) {
      const place = readPlace(this.bytes.toString("utf8", at + 4, at + length));
      if (place !== null) this.places.set(this.bytes.readUInt32LE(at), place);
    } else if (this.textsOf(type) !== undefined && length >= 4) {
      this.textsOf(type)!.set(this.bytes.readUInt32LE(at), this.bytes.toString("utf8", at + 4, at + length));
    } else if (type === ENTRY_END && length >= 8) {
      this.lastNs = Number(this.bytes.readBigUInt64LE(at));
      return false;
    }
    return true;
  }

  /** Where entries of this type go, if they are a number and a text. */
  private textsOf(type: number): Map<number, string> | undefined {
    if (type === ENTRY_NAME) return this.names;
    if (type === ENTRY_TLS_LIBRARY) return this.tlsLibraries;
    return type === ENTRY_DROP_REASON ? this.dropReasons : undefined;
  }

  private record(at: number, length: number, reader: SourceReader): boolean {
    this.cursor.moveTo(at);
    if (!this.cursor.fits(length)) return this.cutOff();
    this.lastNs = Math.max(this.lastNs, this.cursor.timeNs);
    reader.onTick(this.lastNs);
    reader.onRecord(this.cursor);
    return true;
  }

  private cutOff(): boolean {
    this.isTruncated = true;
    return false;
  }

  private refill(reader: SourceReader): number {
    reader.onRelease();
    return this.fill();
  }

  /** Reads on; answers how many bytes there are from `start`. */
  private fill(): number {
    this.bytes.copyWithin(0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
    while (this.end < BUFFER_BYTES) {
      const count = readSync(this.fd, this.bytes, this.end, BUFFER_BYTES - this.end, null);
      if (count === 0) break;
      this.end += count;
      this.readBytes += count;
    }
    return this.end;
  }
}
