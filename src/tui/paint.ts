/** From what stands on a terminal to what should: only lines that differ are written, so nothing flickers. Pure. */

/** Terminals that know it show all at once; others ignore it. */
const BEGIN_UPDATE = "\u001b[?2026h";
const END_UPDATE = "\u001b[?2026l";
const RESET = "\u001b[0m";
const TO_END_OF_LINE = "\u001b[K";

/** `shown`: the lines that stand there, none after a resize. "" if nothing is to be done. */
export function paint(shown: readonly string[], wanted: readonly string[], columns: number): string {
  const count = Math.max(shown.length, wanted.length);
  let changed = "";
  for (let index = 0; index < count; index++) {
    const line = wanted[index] ?? "";
    if (line !== shown[index]) changed += lineAt(index, line, columns);
  }
  return changed === "" ? "" : BEGIN_UPDATE + changed + END_UPDATE;
}

/** After a full line the cursor stands on its last character, which must not be erased. */
function lineAt(index: number, line: string, columns: number): string {
  const isFull = line.replace(COLOURS, "").length >= columns;
  return `\u001b[${index + 1};1H${line}${RESET}${isFull ? "" : TO_END_OF_LINE}`;
}

const COLOURS = /\u001b\[[\d;]*m/g;

/** Alternate screen, no cursor, no wrapping at the right edge. */
export const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J";
/** A sequence that was cut off is cancelled first. */
export const LEAVE = "\u0018\u001b[?2026l\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l";
