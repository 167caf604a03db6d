/**
 * The recording of a run, if one is made: its records, and what the source was asked about them, so that a replay knows
 * as much. One that can't go on ends the run, but not before its summary.
 */
import type { RecordCursor } from "../core/decode.ts";
import type { Place } from "../core/profile/parties.ts";
import type { Ended } from "../core/profile/window.ts";
import type { Source } from "../source.ts";
import type { RecordingWriter } from "./writer.ts";

export class Recorder {
  private readonly source: Source;
  private readonly writer: RecordingWriter | null;
  private error: unknown = undefined;

  constructor(source: Source, writer: RecordingWriter | null) {
    this.source = source;
    this.writer = writer;
  }

  /** The hot path: a closure costs something even where it is not made, so it is in a function of its own. */
  record(record: RecordCursor): void {
    if (this.writer !== null) this.keep(record);
  }

  lost(events: number, bytes: number): void {
    this.write((writer) => writer.lost(events, bytes));
  }

  /** What the source warned of, which is in no record. */
  warning(code: string, message: string, timeNs: number): void {
    this.write((writer) => writer.warning(code, message, timeNs));
  }

  nameOf(pid: number): string {
    const comm = this.source.nameOf(pid);
    this.write((writer) => writer.name(pid, comm));
    return comm;
  }

  placeOf(pid: number): Place {
    const place = this.source.placeOf(pid);
    if (Object.keys(place).length > 0) this.write((writer) => writer.place(pid, place));
    return place;
  }

  tlsLibraryOf(pid: number): string {
    const library = this.source.tlsLibraryOf(pid);
    this.write((writer) => writer.tlsLibrary(pid, library));
    return library;
  }

  dropReasonOf(reason: number): string {
    const name = this.source.dropReasonOf(reason);
    this.write((writer) => writer.dropReason(reason, name));
    return name;
  }

  /** @throws what kept it from being whole */
  end(ended: Ended, endNs: number): void {
    this.write((writer) => writer.end(ended, endNs));
    if (this.error !== undefined) throw this.error;
  }

  private keep(record: RecordCursor): void {
    this.write((writer) => writer.record(record));
  }

  private write(step: (writer: RecordingWriter) => void): void {
    if (this.writer === null || this.error !== undefined) return;
    try {
      step(this.writer);
    } catch (error) {
      this.error = error;
      this.source.stop("signal");
    }
  }
}
