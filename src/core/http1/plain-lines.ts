/**
 * Passes header lines that say nothing about framing, which are all but Content-Length, Expect and Transfer-Encoding:
 * what such a line looks like past its first letters can't matter. Most lines of most heads are passed here.
 */
import { LF } from "./bytes.ts";
import { hasZero, lead, lowestByte, viewWords, words, zerosOf } from "./words.ts";

/** By the first byte of a line: it can't be a framing field, it takes three more bytes to tell, or it is no letter. */
const PLAIN = 1;
const BY_PREFIX = 2;
const KIND = new Uint8Array(256);
for (const letter of "abdfghijklmnopqrsuvwxyz") KIND[letter.charCodeAt(0)] = KIND[letter.charCodeAt(0) - 32] = PLAIN;
for (const letter of "cet") KIND[letter.charCodeAt(0)] = KIND[letter.charCodeAt(0) - 32] = BY_PREFIX;

/** A word of four line feeds. */
const LINE_FEEDS = 0x0a0a0a0a;

/** The first four letters of the framing fields, the first one highest, in lower case. */
const CONT = 0x636f6e74;
const EXPE = 0x65787065;
const TRAN = 0x7472616e;
/** Most fields that begin like Content-Length are Content-Type. */
const LENGTH_AT = "content-".length;
const SMALL_L = 0x6c;

/**
 * A line begins at `start`: answers where the first line begins that must be looked at, or that is not yet whole.
 * Longer than other functions: every byte of every head goes through it, eight at a time.
 */
export function passPlainLines(bytes: Uint8Array, start: number, end: number): number {
  let lineStart = start | 0;
  if (!isPlain(bytes, lineStart, end)) return lineStart;
  let at = lineStart;
  if (viewWords(bytes)) {
    const view = words;
    const first = lead;
    for (; ((at - first) & 3) !== 0 && at < end; at = (at + 1) | 0) {
      if (bytes[at] !== LF) continue;
      lineStart = (at + 1) | 0;
      if (!isPlain(bytes, lineStart, end)) return lineStart;
    }
    const last = ((end - first) >> 2) - 1;
    let i = (at - first) >> 2;
    for (; i < last; i = (i + 2) | 0) {
      const low = view[i]! ^ LINE_FEEDS;
      const high = view[i + 1]! ^ LINE_FEEDS;
      if ((hasZero(low) | hasZero(high)) === 0) continue;
      for (let zeros = zerosOf(low); zeros !== 0; zeros &= zeros - 1) {
        lineStart = (first + (i << 2) + lowestByte(zeros) + 1) | 0;
        if (!isPlain(bytes, lineStart, end)) return lineStart;
      }
      for (let zeros = zerosOf(high); zeros !== 0; zeros &= zeros - 1) {
        lineStart = (first + (i << 2) + lowestByte(zeros) + 5) | 0;
        if (!isPlain(bytes, lineStart, end)) return lineStart;
      }
    }
    at = (first + (i << 2)) | 0;
  }
  for (; at < end; at = (at + 1) | 0) {
    if (bytes[at] !== LF) continue;
    lineStart = (at + 1) | 0;
    if (!isPlain(bytes, lineStart, end)) return lineStart;
  }
  return lineStart;
}

function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  if (start >= end) return false;
  const kind = KIND[bytes[start]!];
  if (kind !== BY_PREFIX) return kind === PLAIN;
  if (start + 4 > end) return false;
  const prefix = (bytes[start]! << 24) | (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!;
  const letters = prefix | 0x20202020;
  if (letters === CONT) return start + LENGTH_AT < end && (bytes[start + LENGTH_AT]! | 0x20) !== SMALL_L;
  return letters !== EXPE && letters !== TRAN;
}
