/** What the header fields say about where the body ends: Content-Length and Transfer-Encoding (RFC 9112, 6). */
import { ascii, COMMA, CR, DIGIT_0, equalsIgnoringCase, isBlank, isDigit, LF, SP } from "./bytes.ts";
import type { Framing } from "./handler.ts";

const NO_LENGTH = -1;
const BAD_LENGTH = -2;

const CONTENT_LENGTH_NAME = ascii("content-length");
const TRANSFER_ENCODING_NAME = ascii("transfer-encoding");
const EXPECT_NAME = ascii("expect");
const CHUNKED = ascii("chunked");
const CONTINUE = ascii("100-continue");

/** The header fields that the parser itself must read. */
export type FramingField = 0 | 1 | 2 | 3;
export const NO_FIELD = 0;
export const CONTENT_LENGTH = 1;
export const TRANSFER_ENCODING = 2;
export const EXPECT = 3;

/** Length first: it rules out nearly every field without a look at its name. */
export function framingField(bytes: Uint8Array, start: number, end: number): FramingField {
  switch (end - start) {
    case 6:
      return equalsIgnoringCase(bytes, start, end, EXPECT_NAME) ? EXPECT : NO_FIELD;
    case 14:
      return equalsIgnoringCase(bytes, start, end, CONTENT_LENGTH_NAME) ? CONTENT_LENGTH : NO_FIELD;
    case 17:
      return equalsIgnoringCase(bytes, start, end, TRANSFER_ENCODING_NAME) ? TRANSFER_ENCODING : NO_FIELD;
    default:
      return NO_FIELD;
  }
}

/** Collects the framing fields of one head; `bytes[start, end)` are their values with their line ends. */
export class FramingFields {
  contentLength = NO_LENGTH;
  expectsContinue = false;
  private hasTransferEncoding = false;
  private isFinallyChunked = false;
  /** `chunked` was followed by another coding, or was applied twice (RFC 9112, 6.1, forbids the latter). */
  private isChunkedEarly = false;

  reset(): void {
    this.contentLength = NO_LENGTH;
    this.expectsContinue = false;
    this.hasTransferEncoding = false;
    this.isFinallyChunked = false;
    this.isChunkedEarly = false;
  }

  /** False: the value can be read in two ways. */
  add(field: FramingField, bytes: Uint8Array, start: number, end: number): boolean {
    if (field === EXPECT) {
      this.addExpect(bytes, start, end);
      return true;
    }
    if (field === CONTENT_LENGTH && this.contentLength === NO_LENGTH) {
      this.contentLength = plainLength(bytes, start, end);
      if (this.contentLength !== NO_LENGTH) return true;
    }
    // RFC 9112, 2.2: a bare CR is invalid or a SP; where it is some servers' line end, it decides the framing.
    if (hasBareCr(bytes, start, end)) return false;
    if (field === CONTENT_LENGTH) this.addContentLength(bytes, start, end);
    else this.addTransferEncoding(bytes, start, end);
    return true;
  }

  /** RFC 9112, 6.3, in its order; `invalid` where it asks the recipient to give up. */
  decide(isRequest: boolean, status: number, minorVersion: number): Framing | "invalid" {
    if (!isRequest && (status < 200 || status === 204 || status === 304)) return "none";
    if (this.hasTransferEncoding) return isRequest ? this.decideRequestCoding(minorVersion) : this.responseCoding();
    if (this.contentLength === BAD_LENGTH) return "invalid";
    if (this.contentLength !== NO_LENGTH) return "length";
    return isRequest ? "none" : "close";
  }

  /** In HTTP/1.0 Transfer-Encoding is faulty framing (6.1); servers differ between obeying and ignoring it. */
  private decideRequestCoding(minorVersion: number): Framing | "invalid" {
    return minorVersion > 0 && this.isFinallyChunked && !this.isChunkedEarly ? "chunked" : "invalid";
  }

  private responseCoding(): Framing {
    return this.isFinallyChunked ? "chunked" : "close";
  }

  /** Equal repeats, in one line or several, count once (RFC 9110, 8.6); everything else but digits is invalid. */
  private addContentLength(bytes: Uint8Array, start: number, end: number): void {
    for (let from = start; from <= end; ) {
      const to = elementEnd(bytes, from, end);
      const length = parseLength(bytes, trimStart(bytes, from, to), trimEnd(bytes, from, to));
      const isFirst = this.contentLength === NO_LENGTH;
      this.contentLength = isFirst || this.contentLength === length ? length : BAD_LENGTH;
      from = to + 1;
    }
  }

  private addTransferEncoding(bytes: Uint8Array, start: number, end: number): void {
    this.hasTransferEncoding = true;
    for (let from = start; from <= end; ) {
      const to = elementEnd(bytes, from, end);
      const nameStart = trimStart(bytes, from, to);
      const nameEnd = trimEnd(bytes, from, to);
      from = to + 1;
      if (nameStart >= nameEnd) continue;
      if (this.isFinallyChunked) this.isChunkedEarly = true;
      this.isFinallyChunked = equalsIgnoringCase(bytes, nameStart, nameEnd, CHUNKED);
    }
  }

  private addExpect(bytes: Uint8Array, start: number, end: number): void {
    for (let from = start; from <= end; ) {
      const to = elementEnd(bytes, from, end);
      if (equalsIgnoringCase(bytes, trimStart(bytes, from, to), trimEnd(bytes, from, to), CONTINUE)) {
        this.expectsContinue = true;
      }
      from = to + 1;
    }
  }
}

// 15 digits can't pass 2^53.
const MAX_PLAIN_DIGITS = 15;

/** The value as every server writes it, in one pass: blanks, digits, CRLF. NO_LENGTH: it takes a closer look. */
function plainLength(bytes: Uint8Array, start: number, end: number): number {
  let at = start | 0;
  while (at < end && bytes[at] === SP) at = (at + 1) | 0;
  const digitsStart = at;
  let length = 0;
  while (at < end && isDigit(bytes[at]!)) {
    length = length * 10 + (bytes[at]! - DIGIT_0);
    at = (at + 1) | 0;
  }
  const digits = at - digitsStart;
  const isPlain = digits > 0 && digits <= MAX_PLAIN_DIGITS && at + 2 === end && bytes[at] === CR;
  return isPlain ? length : NO_LENGTH;
}

function parseLength(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return BAD_LENGTH;
  let length = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (!isDigit(byte)) return BAD_LENGTH;
    length = length * 10 + (byte - DIGIT_0);
    if (length > Number.MAX_SAFE_INTEGER) return BAD_LENGTH;
  }
  return length;
}

/** Where the element of a comma-separated list (RFC 9110, 5.6.1) that starts at `start` ends. */
function elementEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== COMMA) at++;
  return at;
}

function trimStart(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isFoldingBlank(bytes[at]!)) at++;
  return at;
}

function trimEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && isFoldingBlank(bytes[at - 1]!)) at--;
  return at;
}

function isFoldingBlank(byte: number): boolean {
  return isBlank(byte) || byte === CR || byte === LF;
}

function hasBareCr(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === CR && bytes[at + 1] !== LF) return true;
  return false;
}
