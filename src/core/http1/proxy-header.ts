/**
 * The header of HAProxy's PROXY protocol, which may precede the first request on a connection
 * (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt). It is no part of a message: only where it ends counts.
 */
import { ascii, commonLength, LF } from "./bytes.ts";

/** Section 2.1: the line ends within so many bytes. */
const MAX_LINE_BYTES = 107;
/** Section 2.2: then command, family, and two bytes that are the length of what follows. */
const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const FIXED_BYTES = 16;
const LENGTH_AT = 14;
const BEGINNINGS = ["PROXY TCP4 ", "PROXY TCP6 ", "PROXY UNKNOWN", SIGNATURE].map(ascii);
const LETTER_P = 0x50;

/** Whether a call begins with one. A sender writes it in one piece (section 2). */
export function startsWithProxyHeader(bytes: Uint8Array, start: number, end: number): boolean {
  return BEGINNINGS.some((prefix) => commonLength(bytes, start, end, prefix) === prefix.length);
}

export class ProxyHeader {
  isDone = false;
  private readonly isLine: boolean;
  private seen = 0;
  private length = FIXED_BYTES;

  /** `bytes[start]` is its first byte, see startsWithProxyHeader. */
  constructor(bytes: Uint8Array, start: number) {
    this.isLine = bytes[start] === LETTER_P;
  }

  /** How many of these bytes, which come next, belong to it. */
  take(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && !this.isDone) {
      const byte = bytes[at++]!;
      if (this.seen === LENGTH_AT) this.length += byte << 8;
      if (this.seen === LENGTH_AT + 1) this.length += byte;
      this.seen++;
      this.isDone = this.isLine ? byte === LF || this.seen === MAX_LINE_BYTES : this.seen === this.length;
    }
    return at - start;
  }
}
