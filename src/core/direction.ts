/**
 * One direction of a connection: puts what the calls brought at its place in the stream and walks it with the
 * parser. A gap shows by arithmetic, because each call says at which position of the stream its bytes began.
 */

import { CallLog } from "./calls.ts";
import type { CurrentCall } from "./connection-context.ts";
import type { RecordCursor } from "./decode.ts";
import type { Head, MessageHandler } from "./http1/handler.ts";
import { MessageParser } from "./http1/parser.ts";

/** To tell the kernel costs a system call, which the copies of some records do. */
const MIN_PASSED_BYTES = 1 << 18;
/** Positions are compared as signed differences. */
const MAX_PASSED_BYTES = 1 << 30;

export interface DirectionHandler extends MessageHandler {
  /** Bytes that were not copied go by next. */
  onSkip(): void;
}

export class Direction {
  readonly parser: MessageParser;
  /** Where the next byte belongs (as RecordCursor.position); undefined before the first. */
  expected: number | undefined = undefined;
  /** Of the call that brought the first byte of the message that is open. */
  messagePosition = 0;
  messageOtherPosition = 0;
  /** The calls of a head that is not whole yet; hardly ever needed. */
  private headCalls: CallLog | null = null;
  /** Where the message that is open began, or the next one begins. */
  nextMessageAt = 0;
  /** The peer has ended it, which the process may yet have to read. */
  private isEnding = false;
  /** Of the call that is being read. */
  private callPosition = 0;
  private callOtherPosition = 0;
  /** Bytes that no call showed went by: when they did, nobody knows. */
  isMissing = false;
  private passUpTo: number | undefined = undefined;
  private readonly handler: DirectionHandler;
  /** Joined in mid-stream, no message seen yet: what goes by belongs to one that began before. */
  private isJoining: boolean;
  private cutSeen = 0;
  private lostSeen = 0;

  constructor(kind: "request" | "response", handler: DirectionHandler, isFresh: boolean) {
    this.parser = new MessageParser(kind, handler, isFresh);
    this.isJoining = !isFresh;
    this.handler = handler;
  }

  /** The record's call came before one that was read already: nothing fits together any more. */
  isBehind(record: RecordCursor): boolean {
    return this.expected !== undefined && ((record.position - this.expected) | 0) < 0;
  }

  receive(record: RecordCursor): void {
    const { parser } = this;
    const length = record.length;
    // A call that reads the last bytes reads the FIN with them, which counts as one.
    const { expected } = this;
    const isWithFin = this.isEnding && expected !== undefined && record.position === ((expected + 1) | 0);
    const position = isWithFin ? expected : record.position;
    const missed = this.expected === undefined ? 0 : (position - this.expected) | 0;
    this.expected = (position + length) | 0;
    this.callPosition = position;
    this.callOtherPosition = record.otherPosition;
    parser.nowNs = record.timeNs;
    if (missed > 0) this.miss(missed);
    if (parser.openBytes === 0) {
      this.messageStarts();
      this.nextMessageAt = position;
    }
    const head = record.headBytes;
    const tail = record.tailBytes;
    const start = record.payload;
    if (head > 0) parser.feed(record.bytes, start, start + head, true);
    if (length > head + tail) this.skip(length - head - tail);
    if (tail > 0) parser.feed(record.bytes, start + head, start + head + tail, false);
  }

  /** A whole head was seen. */
  messageSeen({ startNs }: Head): void {
    // What looked like the beginning of a message before this call was none.
    if (startNs === this.parser.nowNs) this.messageStarts();
    if (this.isJoining) this.lostSeen = this.parser.lostBytes;
    this.isJoining = false;
  }

  /** How far its bytes need not be copied, once a long body has shown `keepBytes`; undefined if that is not news. */
  passesUpTo(keepBytes: number): number | undefined {
    const { expected, parser } = this;
    const left = parser.openBytes < keepBytes && !parser.isTunnel ? 0 : parser.bytesToPass;
    if (expected === undefined || left < MIN_PASSED_BYTES) return undefined;
    const position = (expected + Math.min(left, MAX_PASSED_BYTES)) | 0;
    const isNews = position !== this.passUpTo;
    this.passUpTo = position;
    return isNews ? position : undefined;
  }

  /** The call brought part of a head: nobody knows yet of which exchange. */
  noteHeadCall(record: RecordCursor): void {
    this.headCalls ??= new CallLog();
    this.headCalls.add(record);
  }

  /** The log of the message whose head is whole now, and came to its end in this call. */
  beginCalls(calls: CallLog, head: Head, { record, bytes }: CurrentCall): void {
    calls.begin(head.bytes === bytes ? record.positionOf(head.start) : this.messagePosition);
    if (this.headCalls !== null) calls.addAll(this.headCalls);
    calls.add(record);
  }

  /** The peer's FIN has arrived. */
  finArrived(): void {
    this.isEnding = true;
  }

  /** No byte is missing up to `position`, in which a FIN may be counted. */
  isAt(position: number): boolean {
    return this.expected === undefined || ((position - this.expected) | 0) <= 1;
  }

  /** Bytes of the message that was cut off last. */
  takeCutBytes(): number {
    const bytes = this.parser.cutBytes - this.cutSeen;
    this.cutSeen = this.parser.cutBytes;
    return bytes;
  }

  /** There are bytes to account for that belong to no message. */
  get hasLosses(): boolean {
    return this.parser.lostBytes !== this.lostSeen || this.parser.isTunnel;
  }

  /** Bytes that belong to no message, since the last time it was asked. */
  takeLostBytes(): number {
    const bytes = this.isJoining ? 0 : this.parser.lostBytes - this.lostSeen;
    this.lostSeen = this.parser.lostBytes;
    return bytes;
  }

  /** A message ended: the next one that this call brings began in it. */
  messageStarts(): void {
    this.messagePosition = this.callPosition;
    this.messageOtherPosition = this.callOtherPosition;
    if (this.headCalls !== null) this.headCalls.count = 0;
  }

  /** The direction ended at `position`; bytes up to there that were not seen are missed. */
  end(position: number | undefined, timeNs: number): void {
    const missed = position === undefined || this.expected === undefined ? 0 : (position - this.expected) | 0;
    // The FIN itself may have been counted: then nothing is missing, else perhaps a byte less than it seems.
    this.isMissing = missed > 1;
    this.parser.nowNs = timeNs;
    if (missed > 1) this.skip(missed);
    this.parser.end();
    this.isMissing = false;
  }

  private miss(count: number): void {
    this.isMissing = true;
    this.skip(count);
    this.isMissing = false;
  }

  private skip(count: number): void {
    this.handler.onSkip();
    this.parser.skip(count);
  }
}
