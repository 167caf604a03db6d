/** Text into columns. The text is escaped already and holds no colour: a span is painted when its place is known. */
import type { Paint } from "./style.ts";

export interface Span {
  readonly text: string;
  readonly paint?: Paint;
}

export function span(text: string, paint?: Paint): Span {
  return paint ? { text, paint } : { text };
}

/** Cuts in the middle, since both the start and the end of a URI tell more than what is between them. */
export function cutMiddle(text: string, width: number): string {
  if (text.length <= width) return text;
  const tail = Math.floor((width - 1) / 2);
  return `${text.slice(0, width - 1 - tail)}…${text.slice(text.length - tail)}`;
}

interface FlowOptions {
  readonly separator?: string;
  /** Before the first line. */
  readonly first?: string;
  /** Before each line that follows. */
  readonly next?: string;
}

/** Spans one after the other, on as many lines as they need; a span is never broken, but cut if it fills a line. */
export function flow(spans: readonly Span[], columns: number, options: FlowOptions = {}): string {
  const { separator = "  ", first = "", next = first } = options;
  let text = first;
  let used = first.length;
  for (const [index, { text: word, paint }] of spans.entries()) {
    const isBroken = index > 0 && used + separator.length + word.length > columns;
    const lead = isBroken ? next : index > 0 ? separator : "";
    used = (isBroken ? 0 : used) + lead.length;
    const shown = cutMiddle(word, columns - used);
    text += (isBroken ? "\n" : "") + lead + painted(span(shown, paint));
    used += shown.length;
  }
  return `${text}\n`;
}

/** A sentence, broken between its words. */
export function sentence(text: string, columns: number, paint: Paint): string {
  const words = text.split(" ").map((word) => span(word, paint));
  return flow(words, columns, { separator: " " });
}

/** A line across the screen that opens a part: `── a  b ─────`. */
export function rule(spans: readonly Span[], columns: number, paint: Paint): string {
  const line = columns - spans.reduce((sum, { text }) => sum + text.length + 2, "── ".length - 1);
  if (line < 1) return flow(spans, columns);
  return `${paint("──")} ${spans.map(painted).join("  ")} ${paint("─".repeat(line))}\n`;
}

/** Breaks a line where it reaches the width, losing nothing; what is not Latin, Greek or Cyrillic may take two columns. */
export function wrap(line: string, width: number): string[] {
  const lines = [""];
  let used = 0;
  for (const character of line) {
    const columns = character.codePointAt(0)! < 0x1100 ? 1 : 2;
    if (used + columns > width) {
      lines.push("");
      used = 0;
    }
    lines[lines.length - 1] += character;
    used += columns;
  }
  return lines;
}

function painted({ text, paint }: Span): string {
  return paint ? paint(text) : text;
}
