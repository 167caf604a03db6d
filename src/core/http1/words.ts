/**
 * Finds a byte four at a time, which halves the cost of a head (bench/http1-parser.ts). Word `i` of a buffer holds
 * its bytes from `lead + 4 * i`, the first one lowest: every machine that Linux and Node run on here (x86-64,
 * arm64) is little-endian. The bit tricks are "haszero" and "hasless" of Sean Anderson's Bit Twiddling Hacks; of the
 * bytes they mark, the lowest is always right.
 */
import { LF, SP } from "./bytes.ts";

/** Shorter arrays come and go (an incomplete head that is kept), and a view on each would cost more than it saves. */
const MIN_BYTES = 16 * 1024;

// The view on the array that was asked about last: in a run that is nearly always the one ring buffer.
let viewed = new Uint8Array(0);
export let words = new Int32Array(0);
export let lead = 0;

/** Where the first LF of `bytes[start, end)` is, or `end`. */
export function findLineFeed(bytes: Uint8Array, start: number, end: number): number {
  let at = start | 0;
  if (viewWords(bytes)) {
    while (((at - lead) & 3) !== 0 && at < end && bytes[at] !== LF) at = (at + 1) | 0;
    if (at >= end || bytes[at] === LF) return at;
    const last = (end - lead) >> 2;
    let i = (at - lead) >> 2;
    for (; i < last; i = (i + 1) | 0) {
      const found = hasZero(words[i]! ^ 0x0a0a0a0a);
      if (found !== 0) return lead + (i << 2) + ((31 - Math.clz32(found & -found)) >> 3);
    }
    at = lead + (i << 2);
  }
  while (at < end && bytes[at] !== LF) at = (at + 1) | 0;
  return at;
}

/** Where the first SP or control character of `bytes[start, end)` is, or `end`. */
export function findBlankOrControl(bytes: Uint8Array, start: number, end: number): number {
  let at = start | 0;
  if (viewWords(bytes)) {
    while (((at - lead) & 3) !== 0 && at < end && bytes[at]! > SP) at = (at + 1) | 0;
    if (at >= end || bytes[at]! <= SP) return at;
    const last = (end - lead) >> 2;
    let i = (at - lead) >> 2;
    for (; i < last; i = (i + 1) | 0) {
      const word = words[i]!;
      const found = (word - 0x21212121) & ~word & 0x80808080;
      if (found !== 0) return lead + (i << 2) + ((31 - Math.clz32(found & -found)) >> 3);
    }
    at = lead + (i << 2);
  }
  while (at < end && bytes[at]! > SP) at = (at + 1) | 0;
  return at;
}

/** Whether `words` and `lead` are now those of `bytes`. */
export function viewWords(bytes: Uint8Array): boolean {
  return bytes === viewed || view(bytes);
}

/** Not 0 if a byte of the word is 0. */
export function hasZero(word: number): number {
  return (word - 0x01010101) & ~word & 0x80808080;
}

/** The highest bit of each byte that is 0, and of no other. */
export function zerosOf(word: number): number {
  return ~(((word & 0x7f7f7f7f) + 0x7f7f7f7f) | word | 0x7f7f7f7f);
}

/** The number of the lowest byte that has its highest bit set. */
export function lowestByte(marks: number): number {
  return (31 - Math.clz32(marks & -marks)) >> 3;
}

function view(bytes: Uint8Array): boolean {
  if (bytes.length < MIN_BYTES) return false;
  viewed = bytes as Uint8Array<ArrayBuffer>;
  lead = -bytes.byteOffset & 3;
  words = new Int32Array(viewed.buffer, bytes.byteOffset + lead, (bytes.length - lead) >> 2);
  return true;
}
