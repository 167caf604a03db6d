/** The octets that HTTP/1 syntax is made of, and text from octets. */

export const HT = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const DQUOTE = 0x22;
export const ASTERISK = 0x2a;
export const COMMA = 0x2c;
export const SLASH = 0x2f;
export const DIGIT_0 = 0x30;
export const DIGIT_9 = 0x39;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const BACKSLASH = 0x5c;

/** `IS_TOKEN[byte]` is 1 for a tchar (RFC 9110, 5.6.2). */
export const IS_TOKEN = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  IS_TOKEN[char.charCodeAt(0)] = 1;
}

export function isBlank(byte: number): boolean {
  return byte === SP || byte === HT;
}

export function isDigit(byte: number): boolean {
  return byte >= DIGIT_0 && byte <= DIGIT_9;
}

export function isLetter(byte: number): boolean {
  const lowercase = byte | 0x20;
  return lowercase >= 0x61 && lowercase <= 0x7a;
}

/** The octets of ASCII text, to compare with. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** How many bytes of `bytes[start, end)` agree with `expected`, from its first. */
export function commonLength(bytes: Uint8Array, start: number, end: number, expected: Uint8Array): number {
  const length = Math.min(end - start, expected.length);
  let matched = 0;
  while (matched < length && bytes[start + matched] === expected[matched]) matched++;
  return matched;
}

/**
 * Whether `bytes[start, end)` is `lowercase`, the case of ASCII letters aside. It consists of small letters, digits and
 * hyphens: what has the bit that makes a letter small, and no control character has.
 */
export function equalsIgnoringCase(bytes: Uint8Array, start: number, end: number, lowercase: Uint8Array): boolean {
  if (end - start !== lowercase.length) return false;
  for (let i = 0; i < lowercase.length; i++) {
    const byte = bytes[start + i]!;
    if ((byte | 0x20) !== lowercase[i] || byte < SP) return false;
  }
  return true;
}

// What String.fromCharCode takes as arguments without a risk to the stack.
const TEXT_PIECE = 4096;

/** Each byte as the character of that code. TextDecoder has no such coding: its `latin1` is windows-1252. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let at = start; at < end; at += TEXT_PIECE) {
    const piece = bytes.subarray(at, Math.min(end, at + TEXT_PIECE));
    text += String.fromCharCode.apply(null, piece as unknown as number[]);
  }
  return text;
}
