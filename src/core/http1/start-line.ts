/**
 * The first line of a message (RFC 9112, 3 and 4). A scan answers the position after the line feed, or one of the
 * two negative results. It judges whole lines only: what has no line feed yet is NEED_MORE whatever it holds, so
 * that the way a line was split over reads can't change the answer.
 */
import {
  ASTERISK,
  ascii,
  CR,
  commonLength,
  equalsIgnoringCase,
  IS_TOKEN,
  isBlank,
  isDigit,
  isLetter,
  LF,
  SLASH,
} from "./bytes.ts";
import type { Head } from "./handler.ts";
import { findBlankOrControl, findLineFeed } from "./words.ts";

export const NEED_MORE = -1;
export const INVALID = -2;

/** RFC 9110 sets no limit to a method; the longest registered one has 17 bytes. */
export const MAX_METHOD_BYTES = 255;
export const VERSION_PREFIX = ascii("HTTP/1.");
const CONNECT = ascii("connect");
const SCHEME_END = ascii("://");

/** Words may be set apart by more than one SP or HT (RFC 9112, 3: "whitespace-delimited word boundaries"). */
export function scanRequestLine(bytes: Uint8Array, start: number, end: number, head: Head): number {
  let at = start;
  while (at < end && IS_TOKEN[bytes[at]!] === 1) at++;
  const methodEnd = at;
  while (at < end && isBlank(bytes[at]!)) at++;
  const targetStart = at;
  at = findBlankOrControl(bytes, at, end);
  const targetEnd = at;
  while (at < end && isBlank(bytes[at]!)) at++;
  head.methodEnd = methodEnd;
  head.targetStart = targetStart;
  head.targetEnd = targetEnd;
  head.status = 0;
  if (methodEnd === start || methodEnd === targetStart || targetEnd === at) return unfit(bytes, at, end);
  if (methodEnd - start > MAX_METHOD_BYTES) return unfit(bytes, at, end);
  if (bytes[targetStart] !== SLASH && !isTarget(bytes, start, methodEnd, targetStart, targetEnd)) {
    return unfit(bytes, at, end);
  }
  const versionEnd = scanVersion(bytes, at, end, head);
  return versionEnd < 0 ? unfit(bytes, at, end) : scanLineEnd(bytes, versionEnd, end);
}

/** The reason phrase may be absent, with the SP before it (RFC 9112, 4, asks for that SP; many servers omit it). */
export function scanStatusLine(bytes: Uint8Array, start: number, end: number, head: Head): number {
  let at = scanVersion(bytes, start, end, head);
  if (at < 0) return unfit(bytes, start, end);
  const blankStart = at;
  while (at < end && isBlank(bytes[at]!)) at++;
  if (at === blankStart || at + 3 >= end) return unfit(bytes, at, end);
  for (let i = 0; i < 3; i++) if (!isDigit(bytes[at + i]!)) return unfit(bytes, at, end);
  head.status = bytes[at]! * 100 + bytes[at + 1]! * 10 + bytes[at + 2]! - 0x30 * 111;
  const after = bytes[at + 3]!;
  if (head.status < 100 || (!isBlank(after) && after !== CR && after !== LF)) return unfit(bytes, at, end);
  return afterLineFeed(bytes, at + 3, end);
}

/** Origin-form is the caller's shortcut; here asterisk-, absolute- and authority-form (RFC 9112, 3.2). */
function isTarget(bytes: Uint8Array, methodStart: number, methodEnd: number, start: number, end: number): boolean {
  if (bytes[start] === ASTERISK) return end === start + 1;
  if (equalsIgnoringCase(bytes, methodStart, methodEnd, CONNECT)) return true;
  const schemeEnd = skipScheme(bytes, start, end);
  return schemeEnd > start && commonLength(bytes, schemeEnd, end, SCHEME_END) === SCHEME_END.length;
}

/** RFC 3986, 3.1, but for a few characters of tchar that a scheme may not have: "://" decides. */
export function skipScheme(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  if (at < end && !isLetter(bytes[at]!)) return at;
  while (at < end && IS_TOKEN[bytes[at]!] === 1) at++;
  return at;
}

/** Any minor version of HTTP/1 (RFC 9110, 2.5: a recipient processes it as the highest one it knows). */
function scanVersion(bytes: Uint8Array, start: number, end: number, head: Head): number {
  const last = start + VERSION_PREFIX.length;
  if (last >= end || !isDigit(bytes[last]!)) return NEED_MORE;
  if (commonLength(bytes, start, end, VERSION_PREFIX) !== VERSION_PREFIX.length) return INVALID;
  head.minorVersion = bytes[last]! - 0x30;
  return last + 1;
}

function scanLineEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isBlank(bytes[at]!)) at++;
  if (at < end && bytes[at] === CR) at++;
  return at < end && bytes[at] === LF ? at + 1 : unfit(bytes, at, end);
}

/** What stands before `at` breaks the grammar, or only seems to since the line goes on after `end`. */
function unfit(bytes: Uint8Array, at: number, end: number): number {
  return afterLineFeed(bytes, at, end) < 0 ? NEED_MORE : INVALID;
}

function afterLineFeed(bytes: Uint8Array, start: number, end: number): number {
  const at = findLineFeed(bytes, start, end);
  return at < end ? at + 1 : NEED_MORE;
}
