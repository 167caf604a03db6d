/**
 * Reads one head (start line and header fields), in place when it is whole, else from a copy of what came so far.
 * It judges line by line, each line once and only when its line feed is there: the verdict on a stream does not
 * depend on how it was split, and many small reads cost no rescans. Scanners are pooled (`borrowScanner`): a
 * connection between two messages holds none.
 */
import { COLON, CR, isBlank, LF, SP } from "./bytes.ts";
import { isCutMethod, looksLike, PREFIX_BYTES } from "./detect.ts";
import {
  CONTENT_LENGTH,
  type FramingField,
  FramingFields,
  framingField,
  NO_FIELD,
  TRANSFER_ENCODING,
} from "./framing.ts";
import type { Head } from "./handler.ts";
import { passPlainLines } from "./plain-lines.ts";
import { INVALID, NEED_MORE, scanRequestLine, scanStatusLine } from "./start-line.ts";
import { findLineFeed } from "./words.ts";

/** No server that is known accepts longer heads (Apache, nginx, Node: 8 to 64 KiB unless told otherwise). */
export const MAX_HEAD_BYTES = 256 * 1024;

export type ScanResult = "head" | "more" | "invalid" | "too-long";

const NOTHING = new Uint8Array(0);
/** What is copied at a time, since most of a long read may be body. */
const MAX_PIECE_BYTES = 4096;
/** Up to here a loop copies faster than a view is made. */
const SHORT_COPY_BYTES = 48;
const FIRST_CAPACITY = 1024;
const POOLED_CAPACITY = 16 * 1024;
const POOL_SIZE = 16;
const pool: HeadScanner[] = [];

/** `isProbe`: whether this is the start of a message at all is a guess. */
export function borrowScanner(isRequest: boolean, isProbe: boolean): HeadScanner {
  const scanner = pool.pop() ?? new HeadScanner();
  scanner.begin(isRequest, isProbe);
  return scanner;
}

export function returnScanner(scanner: HeadScanner): void {
  if (pool.length === POOL_SIZE) return;
  scanner.shrink();
  pool.push(scanner);
}

export function newHead(): Head {
  return {
    bytes: NOTHING,
    start: 0,
    end: 0,
    methodEnd: 0,
    targetStart: 0,
    targetEnd: 0,
    status: 0,
    minorVersion: 0,
    framing: "none",
    contentLength: 0,
    expectsContinue: false,
    startNs: 0,
  };
}

export class HeadScanner {
  readonly head: Head = newHead();
  /** How many bytes of the head are kept here; 0 while it is scanned in place. */
  keptBytes = 0;
  hasStartLine = false;
  private isRequest = false;
  private isProbe = false;
  private kept = NOTHING;
  private readonly fields = new FramingFields();
  private fieldsStart = 0;
  /** Start of the first line that was not judged yet. */
  private lineStart = 0;
  /** The framing field that the next line ends or, being a fold, goes on with. */
  private openField: FramingField = NO_FIELD;
  private valueStart = 0;

  begin(isRequest: boolean, isProbe: boolean): void {
    this.isRequest = isRequest;
    this.isProbe = isProbe;
    this.keptBytes = 0;
    this.hasStartLine = false;
    this.openField = NO_FIELD;
    this.fields.reset();
  }

  /** The head begins at `start`. After "more", `keep` what was scanned. */
  scan(bytes: Uint8Array, start: number, end: number): ScanResult {
    this.head.start = start;
    this.lineStart = start;
    return this.scanWithinLimit(bytes, start, end);
  }

  keep(bytes: Uint8Array, start: number, end: number): void {
    this.append(bytes, start, end);
    this.head.start = 0;
    this.head.methodEnd -= start;
    this.head.targetStart -= start;
    this.head.targetEnd -= start;
    this.lineStart -= start;
    this.fieldsStart -= start;
    this.valueStart -= start;
  }

  /** Whether the kept head, its start line not yet whole, could go on with these bytes. */
  canGoOnWith(bytes: Uint8Array, start: number, end: number): boolean {
    const prefix = new Uint8Array(PREFIX_BYTES);
    const keptBytes = Math.min(this.keptBytes, PREFIX_BYTES);
    const added = Math.min(end - start, PREFIX_BYTES - keptBytes);
    prefix.set(this.kept.subarray(0, keptBytes));
    prefix.set(bytes.subarray(start, start + added), keptBytes);
    return this.canBeStartLine(prefix, 0, keptBytes + added);
  }

  /** Goes on with the kept head. With "head", `head.end` tells how much of what was kept and came is the head. */
  scanMore(bytes: Uint8Array, start: number, end: number): ScanResult {
    let at = start;
    while (at < end) {
      const to = Math.min(end, at + MAX_PIECE_BYTES, at + MAX_HEAD_BYTES - this.keptBytes);
      this.append(bytes, at, to);
      const hasLine = findLineFeed(bytes, at, to) < to;
      const result = hasLine ? this.scanWithinLimit(this.kept, 0, this.keptBytes) : this.resultWithoutLine();
      if (result !== "more") return result;
      at = to;
    }
    return "more";
  }

  private resultWithoutLine(): ScanResult {
    if (!this.hasStartLine && !this.canBeStartLine(this.kept, 0, this.keptBytes)) return "invalid";
    return this.keptBytes >= MAX_HEAD_BYTES ? "too-long" : "more";
  }

  private scanWithinLimit(bytes: Uint8Array, start: number, end: number): ScanResult {
    this.head.bytes = bytes;
    const limit = start + MAX_HEAD_BYTES;
    if (end < limit) return this.scanLines(bytes, end);
    const result = this.scanLines(bytes, limit);
    return result === "more" ? "too-long" : result;
  }

  // Longer than other functions: it is the one loop that every byte of every head goes through.
  private scanLines(bytes: Uint8Array, end: number): ScanResult {
    if (!this.hasStartLine) {
      const result = this.scanStartLine(bytes, end);
      if (result !== "head") return result;
    }
    let at = this.lineStart | 0;
    for (;;) {
      const lineStart = passPlainLines(bytes, at, end);
      if (lineStart > at && this.openField !== NO_FIELD && !this.endField(bytes, at)) return "invalid";
      at = lineStart;
      while (at < end && bytes[at]! > SP && bytes[at] !== COLON) at = (at + 1) | 0;
      const nameEnd = at;
      at = findLineFeed(bytes, at, end);
      if (at >= end) {
        this.lineStart = lineStart;
        return "more";
      }
      at = (at + 1) | 0;
      const byte = bytes[nameEnd]!;
      if (byte === COLON) {
        if (!this.startField(bytes, lineStart, nameEnd, nameEnd + 1)) return "invalid";
      } else if (byte === LF ? nameEnd === lineStart : byte === CR && at === lineStart + 2) {
        return this.finish(bytes, lineStart, at);
      } else if (!this.readOddLine(bytes, lineStart, nameEnd, at)) return "invalid";
    }
  }

  private scanStartLine(bytes: Uint8Array, end: number): ScanResult {
    const start = this.head.start;
    const at = this.isRequest
      ? scanRequestLine(bytes, start, end, this.head)
      : scanStatusLine(bytes, start, end, this.head);
    if (at === INVALID) return "invalid";
    if (at === NEED_MORE) return this.canBeStartLine(bytes, start, end) ? "more" : "invalid";
    if (this.isProbe && this.isRequest && isCutMethod(bytes, start, this.head.methodEnd)) return "invalid";
    this.hasStartLine = true;
    this.lineStart = at;
    this.fieldsStart = at;
    return "head";
  }

  /** Tells a stream that left HTTP at once, instead of keeping it in wait for a line feed. */
  private canBeStartLine(bytes: Uint8Array, start: number, end: number): boolean {
    const looks = looksLike(bytes, start, Math.min(end, start + PREFIX_BYTES));
    return looks === "maybe" || looks === (this.isRequest ? "request" : "response");
  }

  private startField(bytes: Uint8Array, lineStart: number, nameEnd: number, valueStart: number): boolean {
    if (this.openField !== NO_FIELD && !this.closeField(bytes, lineStart)) return false;
    this.openField = framingField(bytes, lineStart, nameEnd);
    this.valueStart = valueStart;
    return true;
  }

  private endField(bytes: Uint8Array, lineStart: number): boolean {
    const isValid = this.closeField(bytes, lineStart);
    this.openField = NO_FIELD;
    return isValid;
  }

  private closeField(bytes: Uint8Array, end: number): boolean {
    return this.fields.add(this.openField, bytes, this.valueStart, end);
  }

  /**
   * A line that is not `name:…`. What decides no framing passes, as it does with nginx and others; what one
   * server might take for a framing field and another not, does not.
   */
  private readOddLine(bytes: Uint8Array, lineStart: number, nameEnd: number, lineEnd: number): boolean {
    const first = bytes[lineStart]!;
    if (isBlank(first)) return this.readFold(lineStart);
    // RFC 9112, 2.2: a bare CR is invalid or a SP; here it might hide a fold or a line.
    if (first === CR) return false;
    let at = nameEnd;
    while (isBlank(bytes[at]!)) at++;
    if (bytes[at] !== COLON && bytes.subarray(at, lineEnd).indexOf(COLON) < 0)
      return this.startField(bytes, lineStart, lineStart, at);
    // RFC 9112, 5.1: a server rejects whitespace before the colon; a proxy removes it from a response.
    if (this.isRequest) return false;
    return this.startField(bytes, lineStart, bytes[at] === COLON ? nameEnd : lineStart, at + 1);
  }

  /** RFC 9112, 2.2: whitespace before the first field; 5.2: obs-fold, which a user agent must take for a SP. */
  private readFold(lineStart: number): boolean {
    if (lineStart === this.fieldsStart) return false;
    const isFraming = this.openField === CONTENT_LENGTH || this.openField === TRANSFER_ENCODING;
    return !(this.isRequest && isFraming);
  }

  private finish(bytes: Uint8Array, lineStart: number, end: number): ScanResult {
    if (this.openField !== NO_FIELD && !this.closeField(bytes, lineStart)) return "invalid";
    const { head, fields } = this;
    const framing = fields.decide(this.isRequest, head.status, head.minorVersion);
    if (framing === "invalid") return "invalid";
    head.end = end;
    head.framing = framing;
    head.contentLength = framing === "length" ? fields.contentLength : 0;
    // RFC 9110, 10.1.1: in an HTTP/1.0 request the expectation is ignored.
    head.expectsContinue = this.isRequest && head.minorVersion > 0 && fields.expectsContinue;
    return "head";
  }

  private append(bytes: Uint8Array, start: number, end: number): void {
    const length = this.keptBytes + end - start;
    if (length > this.kept.length) {
      const grown = new Uint8Array(Math.max(FIRST_CAPACITY, this.kept.length * 2, length));
      grown.set(this.kept.subarray(0, this.keptBytes));
      this.kept = grown;
    }
    if (end - start > SHORT_COPY_BYTES) this.kept.set(bytes.subarray(start, end), this.keptBytes);
    else for (let at = start; at < end; at++) this.kept[this.keptBytes + at - start] = bytes[at]!;
    this.keptBytes = length;
  }

  /** Lets go of a buffer that one long head made large. */
  shrink(): void {
    if (this.kept.length > POOLED_CAPACITY) this.kept = NOTHING;
    this.head.bytes = NOTHING;
  }
}
