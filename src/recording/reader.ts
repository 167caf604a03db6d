/** A recording as a source of records. Needs no root. What is foreign or cut off is an error, after what was readable. */
import { RecordCursor } from "../core/decode.ts";
import type { Place } from "../core/profile/parties.ts";
import type { Target } from "../core/profile/start.ts";
import type { Ended } from "../core/profile/window.ts";
import { UserError } from "../errors.ts";
import type { Progress, Source, SourceReader } from "../source.ts";
import { Entries } from "./entries.ts";
import {
  ENTRY_DROP_REASON,
  ENTRY_END,
  ENTRY_LOST,
  ENTRY_NAME,
  ENTRY_PLACE,
  ENTRY_RECORD,
  ENTRY_TLS_LIBRARY,
  ENTRY_WARNING,
} from "./format.ts";
import { readPlace } from "./place.ts";
import { readWarning } from "./warning.ts";

/** So many entries, then other work gets its turn. */
const TURN_ENTRIES = 10_000;

export class RecordingSource implements Source {
  readonly targets: readonly Target[];
  readonly startNs: number;
  readonly startUs: number;
  private readonly path: string;
  private readonly entries: Entries;
  private readonly cursor = new RecordCursor();
  private readonly names = new Map<number, string>();
  private readonly places = new Map<number, Place>();
  private readonly tlsLibraries = new Map<number, string>();
  private readonly dropReasons = new Map<number, string>();
  private lastNs: number;
  private ended: Ended | null = null;

  /** @throws UserError `cannot-read`, `not-a-recording` */
  constructor(path: string) {
    this.path = path;
    this.entries = new Entries(path);
    const { header } = this.entries;
    this.targets = header.targets;
    this.startNs = header.startNs;
    this.startUs = header.startUs;
    this.lastNs = header.startNs;
    this.cursor.setMemory(this.entries.memory);
  }

  async run(reader: SourceReader): Promise<{ ended: Ended; endNs: number }> {
    const onRelease = () => reader.onRelease();
    for (let count = 1; this.ended === null; count++) {
      if (!this.entries.next(onRelease) || !this.entry(reader)) break;
      if (count % TURN_ENTRIES === 0) await new Promise(setImmediate);
    }
    reader.onTick(this.lastNs);
    return { ended: this.ended ?? "end-of-file", endNs: this.lastNs };
  }

  /** After `run`. @throws UserError `truncated-recording` when the file ended before its recording did */
  checkWhole(): void {
    if (!this.entries.isCutOff) return;
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
    const { doneBytes, fileBytes: totalBytes } = this.entries;
    return totalBytes === 0 ? null : { doneBytes, totalBytes };
  }

  tlsLibraryOf(pid: number): string {
    return this.tlsLibraries.get(pid) ?? "an unknown library";
  }

  dropReasonOf(reason: number): string {
    return this.dropReasons.get(reason) ?? "";
  }

  close(): void {
    this.entries.close();
  }

  /** False if it is the last. */
  private entry(reader: SourceReader): boolean {
    const { type, bytes, at, length } = this.entries;
    if (type === ENTRY_RECORD) return this.record(at, length, reader);
    if (type === ENTRY_LOST && length >= 16) {
      reader.onLost(Number(bytes.readBigUInt64LE(at)), Number(bytes.readBigUInt64LE(at + 8)));
    } else if (type === ENTRY_PLACE && length >= 4) {
      const place = readPlace(bytes.toString("utf8", at + 4, at + length));
      if (place !== null) this.places.set(bytes.readUInt32LE(at), place);
    } else if (type === ENTRY_WARNING && length >= 8) {
      const warning = readWarning(bytes.toString("utf8", at + 8, at + length));
      if (warning !== null) reader.onWarning(warning.code, warning.message, Number(bytes.readBigUInt64LE(at)));
    } else if (this.textsOf(type) !== undefined && length >= 4) {
      this.textsOf(type)!.set(bytes.readUInt32LE(at), bytes.toString("utf8", at + 4, at + length));
    } else if (type === ENTRY_END && length >= 8) {
      this.lastNs = Number(bytes.readBigUInt64LE(at));
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
    if (!this.cursor.fits(length)) return this.entries.cutOff();
    this.lastNs = Math.max(this.lastNs, this.cursor.timeNs);
    reader.onTick(this.lastNs);
    reader.onRecord(this.cursor);
    return true;
  }
}
