/**
 * What in a URI looks like an id rather than a word. Each test is linear: ids come from the network.
 *
 * Words with digits are common in paths (`v1`, `api2`, `x86`, `sha256`, `i18n`, `k8s`, `oauth2`, `mp4`), short ids that
 * read like words are rare: so a token needs three digits, or letters and digits that alternate as in no word.
 */

/** Short and without digits: no id unless it is an e-mail address. Most segments end here, so it is a plain loop. */
export function isPlainWord(segment: string): boolean {
  if (segment.length >= 20) return false;
  for (let i = 0; i < segment.length; i++) {
    const code = segment.charCodeAt(i);
    if ((code >= 0x30 && code <= 0x39) || code === 0x40) return false;
  }
  return true;
}

export const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/** RFC 3339 and its like; a date alone is a run of numbers anyway. The colons may be escaped. */
export const TIMESTAMP = /\d{4}-\d\d-\d\dT\d\d(?:[\d:.]|%3A)*(?:Z|[+-]\d\d:?\d\d)?/gi;

/** `v1`, `v1.2`, `v1beta1`, `1.0`: a few versions live side by side, and they are what tells endpoints apart. */
export function isVersion(segment: string): boolean {
  return /^(?:v\d{1,3}(?:\.\d{1,3}){0,3}(?:-?(?:alpha|beta|rc)\d{0,2})?|\d\.\d)$/i.test(segment);
}

/** `ann@example.org`; not `@angular`, not `lodash@4.17.21`. */
export function isEmail(segment: string): boolean {
  if (!/@|%40/.test(segment)) return false;
  const at = Math.max(segment.lastIndexOf("@"), segment.toUpperCase().lastIndexOf("%40"));
  const dot = segment.lastIndexOf(".");
  return at > 0 && dot > at + 1 && /^[a-z]{2,}$/i.test(segment.slice(dot + 1));
}

/** Base64url, whose `-` and `_` are not punctuation: a long segment of mixed case and digits, with nothing else. */
export function isMixedToken(segment: string): boolean {
  if (segment.length < 20 || !/^[\w-]+(?:=|%3D)*$/i.test(segment)) return false;
  const { digits, changes } = countsOf(segment);
  return digits >= 1 && changes >= segment.length * 0.4 && /[a-z]/.test(segment) && /[A-Z]/.test(segment);
}

/** A token has no punctuation in it. */
export function isIdToken(token: string): boolean {
  const { length } = token;
  const { digits, hexDigits, letters, switches, changes } = countsOf(token);
  if (digits === 0) return length >= 48 || (length >= 20 && changes >= length * 0.5);
  if (letters === 0) return digits === length;
  // A serial (abc123), a date (20240115T1010Z). With two digits (user42) it is a hundred rows at worst.
  if (digits >= 3) return !NAME_OF_3_DIGITS.test(token);
  // Hex: in 8 letters from a to f with no digit there may be a word (feedbeef), with one there is none.
  if ((length >= 8 && hexDigits === length) || /^0x[0-9a-f]+$/i.test(token)) return true;
  // a1b2c3, 3f2a9c1: a word switches between letters and digits three times at most (v1beta1, log4j2x).
  if (length >= 6 && switches >= 4) return true;
  if (length >= 16 && digits >= 2) return true;
  // NffrFeUfNV2Hib: case changes more often than camelCase does (GetS3File).
  return length >= 8 && changes >= length * 0.6;
}

/** What has three digits by name: ciphers, hashes, codecs, status codes. */
const NAME_OF_3_DIGITS = /^(?:sha|aes|rsa|[ehpr]s|[hpx]|http|error|status)\d{3}$/i;

interface Counts {
  readonly digits: number;
  readonly letters: number;
  /** Digits of a hexadecimal number: a to f count too. */
  readonly hexDigits: number;
  /** Between letter and digit. */
  readonly switches: number;
  /** Between upper case, lower case and digit. */
  readonly changes: number;
}

function countsOf(token: string): Counts {
  const kinds = { digits: 0, letters: 0, hexDigits: 0, switches: 0, changes: 0 };
  let previous = OTHER;
  for (let i = 0; i < token.length; i++) {
    const code = token.charCodeAt(i);
    const kind = kindOf(code);
    if (kind === DIGIT) kinds.digits++;
    else if (kind !== OTHER) kinds.letters++;
    if (kind === DIGIT || (kind !== OTHER && (code | 0x20) <= 0x66)) kinds.hexDigits++;
    if (kind !== previous && kind !== OTHER && previous !== OTHER) {
      kinds.changes++;
      if (kind === DIGIT || previous === DIGIT) kinds.switches++;
    }
    previous = kind;
  }
  return kinds;
}

const OTHER = 0;
const DIGIT = 1;
const LOWER = 2;
const UPPER = 3;

function kindOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return DIGIT;
  if (code >= 0x61 && code <= 0x7a) return LOWER;
  if (code >= 0x41 && code <= 0x5a) return UPPER;
  return OTHER;
}
