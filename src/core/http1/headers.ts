/**
 * Header fields as text, for what was sampled and for single look-ups. `bytes[start, end)` may begin with a start
 * line: a line whose name holds a blank is no field and is left out. Octets become characters one to one (latin1),
 * a fold becomes one space (RFC 9112, 5.2), and so do CR and NUL in a value (RFC 9110, 5.5). Never throws.
 */
import type { Header } from "../profile/sample.ts";
import { COLON, CR, isBlank, LF, latin1, SP } from "./bytes.ts";

export function parseHeaders(bytes: Uint8Array, start: number, end: number): Header[] {
  const headers: Header[] = [];
  for (let at = start; at < end; ) {
    const next = fieldEnd(bytes, at, end);
    const colon = fieldNameEnd(bytes, at, next);
    if (colon >= 0) headers.push([latin1(bytes, at, trimEnd(bytes, at, colon)), fieldValue(bytes, colon + 1, next)]);
    at = next;
  }
  return headers;
}

/** The value of the first field of that name. */
export function findHeader(bytes: Uint8Array, start: number, end: number, lowercaseName: string): string | null {
  for (let at = start; at < end; ) {
    if (startsWithName(bytes, at, end, lowercaseName)) {
      const next = fieldEnd(bytes, at, end);
      const colon = fieldNameEnd(bytes, at, next);
      if (trimEnd(bytes, at, colon) - at === lowercaseName.length) return fieldValue(bytes, colon + 1, next);
    }
    at = lineEnd(bytes, at, end);
  }
  return null;
}

function startsWithName(bytes: Uint8Array, start: number, end: number, lowercaseName: string): boolean {
  if (start + lowercaseName.length >= end) return false;
  for (let i = 0; i < lowercaseName.length; i++) {
    const byte = bytes[start + i]!;
    if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== lowercaseName.charCodeAt(i)) return false;
  }
  return true;
}

/** After the line that starts at `start` and the folded lines that go on with it. */
function fieldEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = lineEnd(bytes, start, end);
  while (at < end && isBlank(bytes[at]!)) at = lineEnd(bytes, at, end);
  return at;
}

function lineEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== LF) at++;
  return at < end ? at + 1 : end;
}

/** Where the colon is, -1 if this is no field. Blanks before the colon are let pass (RFC 9112, 5.1). */
function fieldNameEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at]! > SP && bytes[at] !== COLON) at++;
  if (at === start) return -1;
  while (at < end && isBlank(bytes[at]!)) at++;
  return at < end && bytes[at] === COLON ? at : -1;
}

/** One piece a line, joined by one space; a value is hardly ever more than one piece. */
function fieldValue(bytes: Uint8Array, start: number, end: number): string {
  let value = "";
  for (let at = start; at < end; ) {
    const next = lineEnd(bytes, at, end);
    let from = at;
    let to = next;
    while (from < to && isFiller(bytes[from]!)) from++;
    while (to > from && isFiller(bytes[to - 1]!)) to--;
    if (from < to) value = value === "" ? latin1(bytes, from, to) : `${value} ${latin1(bytes, from, to)}`;
    at = next;
  }
  return value.replace(/[\r\0]/g, " ");
}

function trimEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && isBlank(bytes[at - 1]!)) at--;
  return at;
}

function isFiller(byte: number): boolean {
  return isBlank(byte) || byte === CR || byte === LF;
}
