/** A line of parts, of which the less important are left out where there is no room. Pure. */
import { cutMiddle } from "../output/text/layout.ts";
import type { Paint } from "../output/text/style.ts";

export interface Segment {
  readonly text: string;
  readonly paint?: Paint;
  /** The greatest is left out first; without it the part always stays. */
  readonly drop?: number;
}

const GAP = 2;

export function fitted(segments: readonly Segment[], width: number, gap = GAP): readonly Segment[] {
  if (widthOf(segments, gap) <= width) return segments;
  const first = Math.max(...segments.map(({ drop = 0 }) => drop));
  return first === 0
    ? segments
    : fitted(
        segments.filter(({ drop = 0 }) => drop !== first),
        width,
        gap,
      );
}

export function widthOf(segments: readonly Segment[], gap = GAP): number {
  return segments.reduce((sum, { text }) => sum + text.length + gap, -gap);
}

export function joined(segments: readonly Segment[], width: number, gap = GAP): string {
  let room = width;
  const shown: string[] = [];
  for (const { text, paint } of segments) {
    if (room <= 0) break;
    const cut = cutMiddle(text, room);
    shown.push(paint === undefined ? cut : paint(cut));
    room -= cut.length + gap;
  }
  return shown.join(" ".repeat(gap));
}

/** A line across the screen that opens a view: `── EDGES  since start ───── 7 of 7 ──`. */
export function titleLine(left: readonly Segment[], right: string, width: number, line: Paint): string {
  const tail = right === "" ? "" : ` ${right} ──`;
  const shown = fitted(left, width - tail.length - 6);
  const rest = width - 3 - widthOf(shown) - 1 - tail.length;
  if (rest < 0) return joined(shown, width);
  return `${line("──")} ${joined(shown, width)} ${line("─".repeat(rest) + tail)}`;
}
