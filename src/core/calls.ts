/**
 * The socket calls that carried a message: the first `MAX_CALLS` of them, the rest counted. One log belongs to each
 * message of an exchange and is reused with it, so that noting a call is a few stores and allocates nothing.
 */
import type { RecordCursor } from "./decode.ts";
import type { SocketCall } from "./profile/wire.ts";
import { FLAG_RETRANSMITS } from "./record-layout.ts";

export const MAX_CALLS = 32;

/** Most messages take one or two calls; the log grows once, and stays so. */
const FIRST_CALLS = 2;
const FIELDS = 8;

export class CallLog {
  /** All calls, those that are not kept included. */
  count = 0;
  /** Stream position of the message's first byte, modulo 2^32. */
  messagePosition = 0;
  /** As `RecordCursor.copyCall` lays them out. */
  private fields = new Uint32Array(FIRST_CALLS * FIELDS);
  /** When each began, 0 for those of which that is not known; null as long as it is of none. */
  private starts: Float64Array | null = null;

  /** A new message. */
  begin(messagePosition: number): void {
    this.count = 0;
    this.messagePosition = messagePosition;
  }

  add(record: RecordCursor): void {
    const { count } = this;
    const at = count * FIELDS;
    if (count > 0 && count <= MAX_CALLS && record.continuesCall(this.fields, at - FIELDS)) {
      this.fields[at - FIELDS + 4]! += record.length;
      return;
    }
    this.count++;
    if (count >= MAX_CALLS) return;
    if (at >= this.fields.length) this.grow();
    record.copyCall(this.fields, at);
    if (record.isTimed || this.starts !== null) this.noteStart(count, record.isTimed ? record.startNs : 0);
  }

  private noteStart(index: number, startNs: number): void {
    this.starts ??= new Float64Array(MAX_CALLS);
    this.starts[index] = startNs;
  }

  /** The calls of the head that came before it was whole go first. */
  addAll(other: CallLog): void {
    const kept = Math.min(other.count, MAX_CALLS);
    while (this.fields.length < kept * FIELDS) this.grow();
    this.fields.set(other.fields.subarray(0, kept * FIELDS));
    this.count = other.count;
    if (this.starts === null && other.starts === null) return;
    for (let i = 0; i < kept; i++) this.noteStart(i, other.starts?.[i] ?? 0);
  }

  /** Those that are kept, in order. */
  calls(): SocketCall[] {
    const calls: SocketCall[] = [];
    for (let at = 0; at < Math.min(this.count, MAX_CALLS) * FIELDS; at += FIELDS) calls.push(this.callAt(at));
    return calls;
  }

  private callAt(at: number): SocketCall {
    const { fields } = this;
    const what = fields[at + 3]!; // kind, flags, call, retransmits
    const isCounted = (what & (FLAG_RETRANSMITS << 8)) !== 0;
    return {
      call: (what >>> 16) & 0xff,
      timeNs: fields[at]! + fields[at + 1]! * 0x1_0000_0000,
      bytes: fields[at + 4]!,
      position: fields[at + 5]!,
      otherPosition: fields[at + 6]!,
      threadId: fields[at + 2]!,
      srttUs: fields[at + 7]!,
      retransmitCount: isCounted ? what >>> 24 : null,
      startNs: this.starts?.[at / FIELDS] || null,
    };
  }

  private grow(): void {
    const fields = new Uint32Array(Math.min(this.fields.length * 4, MAX_CALLS * FIELDS));
    fields.set(this.fields);
    this.fields = fields;
  }
}
