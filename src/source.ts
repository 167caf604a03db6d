import type { RecordCursor } from "./core/decode.ts";
import type { PassedStretch } from "./core/lifecycle.ts";
import type { Place } from "./core/profile/parties.ts";
import type { Target } from "./core/profile/start.ts";
import type { Ended } from "./core/profile/window.ts";

/** Where records come from: the kernel's ring buffer or a recording. The line behind it is the same. */
export interface Source {
  /** What is profiled, known once it is open. */
  readonly targets: readonly Target[];
  /** CLOCK_MONOTONIC at the beginning, nanoseconds, and the epoch time that it was. */
  readonly startNs: number;
  readonly startUs: number;
  /** Reads to the end, or until `stop`; answers why it ended and when (CLOCK_MONOTONIC). */
  run(reader: SourceReader): Promise<{ readonly ended: Ended; readonly endNs: number }>;
  /** What is there is still read, then `run` ends. */
  stop(ended: Ended): void;
  /** The kernel need not report this connection any more. */
  ignore(connection: { readonly socket: bigint; readonly id: number; readonly pid: number }): void;
  /** The kernel need not copy these bytes. */
  pass(stretch: PassedStretch): void;
  /** The name of a process; "" if it is not known. */
  nameOf(pid: number): string;
  /** Where it runs; empty if that is not known. */
  placeOf(pid: number): Place;
  /** How far it has been read; null where there is no end to read to. */
  progress(): Progress | null;
  /** What a process encrypts with that can't be read. */
  tlsLibraryOf(pid: number): string;
  /** How the kernel calls a reason for which it dropped a packet; "" if that is not known. */
  dropReasonOf(reason: number): string;
  close(): void | Promise<void>;
}

export interface Progress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface SourceReader {
  /** The cursor is valid during the call, the memory behind it until the next `onRelease`. */
  onRecord(record: RecordCursor): void;
  /** The memory of all records so far goes. */
  onRelease(): void;
  /** Something that the user should know, of now unless told. */
  onWarning(code: string, message: string, timeNs?: number): void;
  /** Totals of what the kernel could not deliver. */
  onLost(events: number, bytes: number): void;
  /** Often, and before each record of a recording that is later than the last tick. */
  onTick(nowNs: number): void;
}
