/**
 * A recording: what the kernel delivered, so that the analysis can be run again.
 *
 *   8 bytes   magic "L7PROFR1"
 *   u32       length of the header, a multiple of 8 (padded with blanks)
 *   u32       0
 *   header    JSON: RecordingHeader
 *   entries   u32 type, u32 length, `length` bytes, padded to a multiple of 8
 *
 * Integers are little-endian. ENTRY_RECORD: a record as in bpf/events.h; ENTRY_LOST: u64 events, u64 bytes, totals
 * so far; ENTRY_END: u64 time_ns, then why it ended, as text; ENTRY_NAME: u32 pid, then its name;
 * ENTRY_PLACE: u32 pid, then where it runs, as JSON; ENTRY_TLS_LIBRARY: u32 pid, then its TLS library that can't be read;
 * ENTRY_DROP_REASON: u32 reason, then how the kernel calls it; ENTRY_WARNING: u64 time_ns, then what was warned of and is
 * in no record, as JSON: { code, message }.
 */
import type { Target } from "../core/profile/start.ts";

export const MAGIC = "L7PROFR1";
export const ENTRY_RECORD = 1;
export const ENTRY_LOST = 2;
export const ENTRY_END = 3;
export const ENTRY_NAME = 4;
export const ENTRY_PLACE = 5;
export const ENTRY_TLS_LIBRARY = 6;
export const ENTRY_DROP_REASON = 7;
export const ENTRY_WARNING = 8;

/** No entry is longer: the longest record is 64 KiB and its head. */
export const MAX_ENTRY_BYTES = 1 << 20;
export const MAX_HEADER_BYTES = 1 << 20;

export interface RecordingHeader {
  readonly l7prof: string;
  readonly startUs: number;
  readonly startNs: number;
  readonly targets: readonly Target[];
}

export function padded(length: number): number {
  return (length + 7) & ~7;
}
