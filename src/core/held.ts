/**
 * Records that came before others they follow from: a client's thread reads a response while another has not yet
 * returned from writing the request. They are copied and wait, in order, for as long as it may take.
 */
import type { RecordCursor } from "./decode.ts";

const MAX_RECORDS = 256;
const MAX_BYTES = 1 << 20;
const MAX_WAIT_NS = 1e9;

export class HeldRecords {
  private records: RecordCursor[] = [];
  private bytes = 0;

  get isEmpty(): boolean {
    return this.records.length === 0;
  }

  /** The next record in order. */
  get first(): RecordCursor | undefined {
    return this.records[0];
  }

  /** True if no more should wait, or the first has waited too long: what it waits for is lost. */
  isOverdue(nowNs: number): boolean {
    if (this.records.length >= MAX_RECORDS || this.bytes >= MAX_BYTES) return true;
    return this.first !== undefined && nowNs - this.first.timeNs > MAX_WAIT_NS;
  }

  push(record: RecordCursor): void {
    const copy = record.copy();
    this.records.push(copy);
    this.bytes += copy.bytes.length;
  }

  shift(): RecordCursor | undefined {
    const record = this.records.shift();
    if (record !== undefined) this.bytes -= record.bytes.length;
    return record;
  }
}
