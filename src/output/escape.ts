/**
 * Bytes from the network are hostile: an escape sequence in a URI would steer the terminal of whoever looks
 * at it. Here text becomes text that a terminal can only print.
 */

/**
 * What a terminal acts on, hides or reorders instead of printing: controls (C0, C1, DEL), formats (bidi marks,
 * zero-width), lone surrogates, private use and unassigned code points (\p{C}), line and paragraph separators,
 * and whatever else Unicode lets a renderer ignore.
 */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** UNPRINTABLE, and what takes no or two columns or runs from right to left: either would bend a table. */
const NOT_ONE_COLUMN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{M}\u{590}-\u{10FFFF}]/gu;

/** Makes what is unprintable visible as `\x1b` or `\u{202e}`; all else stays as it is. */
export function escapeForTerminal(text: string): string {
  return text.replace(UNPRINTABLE, visible);
}

/** The same for a table cell or a heading: what is left takes one column per UTF-16 unit, so `length` is width. */
export function escapeForCell(text: string): string {
  return text.replace(NOT_ONE_COLUMN, visible);
}

/** The same inside JSON text, where such a character can only be in a string: `\u202e`, which parses back to it. */
export function escapeInJson(json: string): string {
  return json.replace(UNPRINTABLE, (character) => character.split("").map(unitEscape).join(""));
}

function unitEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function visible(character: string): string {
  const codePoint = character.codePointAt(0)!;
  const hex = codePoint.toString(16);
  return codePoint <= 0xff ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`;
}
