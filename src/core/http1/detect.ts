/**
 * What the first bytes of a socket call look like. "maybe": so far they agree with the start of a message (or of a
 * preface), but are too few to tell. More bytes never turn "other" into something else.
 */
import {
  ASTERISK,
  ascii,
  COLON,
  CR,
  commonLength,
  IS_TOKEN,
  isBlank,
  isDigit,
  LF,
  latin1,
  SLASH,
  SP,
} from "./bytes.ts";
import { startsWithProxyHeader } from "./proxy-header.ts";
import { MAX_METHOD_BYTES, skipScheme, VERSION_PREFIX } from "./start-line.ts";

export type Looks = "request" | "response" | "http2-preface" | "tls" | "proxy-header" | "maybe" | "other";

/** A look at so many bytes tells all that a look at more of them would, unless the line ends later. */
export const PREFIX_BYTES = MAX_METHOD_BYTES + 1;

/** RFC 9113, 3.4. Up to the version it reads as an HTTP/1 request line. */
const PREFACE = ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const PREFACE_TELLS_FROM = ascii("PRI * HTTP/2").length;
const SCHEME_END = ascii("://");
const CONNECT = "CONNECT";
/** RFC 9110, 9.3, RFC 5789 and WebDAV (RFC 4918). */
const KNOWN_METHODS = new Set(
  "GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT".split(
    " ",
  ),
);

export function looksLike(bytes: Uint8Array, start: number, end: number): Looks {
  if (startsWithProxyHeader(bytes, start, end)) return "proxy-header";
  const from = skipEmptyLines(bytes, start, end);
  if (from === end) return "maybe";
  const byte = bytes[from]!;
  if (byte >= 0x14 && byte <= 0x17) return looksLikeTls(bytes, from, end);
  const version = looksLikeStatusLine(bytes, from, end);
  if (version !== "other") return version;
  const preface = commonLength(bytes, from, end, PREFACE);
  if (preface >= PREFACE_TELLS_FROM) return "http2-preface";
  if (preface === end - from) return "maybe";
  return looksLikeRequestLine(bytes, from, end);
}

/** RFC 9112, 2.2: empty lines before a request-line are ignored; some servers leave one before a status-line. */
export function skipEmptyLines(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (bytes[at] === CR || bytes[at] === LF)) at++;
  return at;
}

export function startsWithKnownMethod(bytes: Uint8Array, start: number, end: number): boolean {
  const from = skipEmptyLines(bytes, start, end);
  return KNOWN_METHODS.has(latin1(bytes, from, skipToken(bytes, from, Math.min(end, from + PREFIX_BYTES))));
}

/** Whether this is the rest of a known method: a stream joined one byte late must not make `POST` an `OST`. */
export function isCutMethod(bytes: Uint8Array, start: number, end: number): boolean {
  const method = latin1(bytes, start, end);
  return !KNOWN_METHODS.has(method) && [...KNOWN_METHODS].some((known) => known.endsWith(method));
}

/** A TLS record header: content type 20 to 23, legacy version 3.0 to 3.4 (RFC 8446, 5.1). */
function looksLikeTls(bytes: Uint8Array, start: number, end: number): Looks {
  if (end - start >= 2 && bytes[start + 1] !== 3) return "other";
  if (end - start >= 3) return bytes[start + 2]! <= 4 ? "tls" : "other";
  return "maybe";
}

function looksLikeStatusLine(bytes: Uint8Array, start: number, end: number): Looks {
  const matched = commonLength(bytes, start, end, VERSION_PREFIX);
  if (matched < VERSION_PREFIX.length) return matched === end - start ? "maybe" : "other";
  const minor = start + matched;
  return minor === end || isDigit(bytes[minor]!) ? "response" : "other";
}

function looksLikeRequestLine(bytes: Uint8Array, start: number, end: number): Looks {
  const methodEnd = skipToken(bytes, start, end);
  if (methodEnd - start > MAX_METHOD_BYTES) return "other";
  if (methodEnd === end) return "maybe";
  const targetStart = skipBlanks(bytes, methodEnd, end);
  if (methodEnd === start || targetStart === methodEnd) return "other";
  if (targetStart === end) return "maybe";
  const target = looksLikeTarget(bytes, start, methodEnd, targetStart, end);
  return target === "request" ? looksLikeVersionAfter(bytes, targetStart, end) : target;
}

function looksLikeTarget(bytes: Uint8Array, start: number, methodEnd: number, target: number, end: number): Looks {
  const byte = bytes[target]!;
  if (byte === SLASH) return "request";
  if (byte <= SP) return "other";
  if (byte === ASTERISK) return target + 1 === end || isBlank(bytes[target + 1]!) ? "request" : "other";
  if (latin1(bytes, start, methodEnd).toUpperCase() === CONNECT) return "request";
  const schemeEnd = skipScheme(bytes, target, end);
  if (schemeEnd === end) return "maybe";
  if (schemeEnd === target || bytes[schemeEnd] !== COLON) return "other";
  const matched = commonLength(bytes, schemeEnd, end, SCHEME_END);
  if (matched === SCHEME_END.length) return "request";
  return schemeEnd + matched === end ? "maybe" : "other";
}

function looksLikeVersionAfter(bytes: Uint8Array, targetStart: number, end: number): Looks {
  let targetEnd = targetStart;
  while (targetEnd < end && bytes[targetEnd]! > SP) targetEnd++;
  const version = skipBlanks(bytes, targetEnd, end);
  if (version === end) return "request";
  const looks = version === targetEnd ? "other" : looksLikeStatusLine(bytes, version, end);
  return looks === "other" ? "other" : "request";
}

function skipToken(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && IS_TOKEN[bytes[at]!] === 1) at++;
  return at;
}

function skipBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isBlank(bytes[at]!)) at++;
  return at;
}
