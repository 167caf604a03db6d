/** Numbers as block characters. Pure. */

/** Eighths of a cell, from below. */
const BLOCKS = " ▁▂▃▄▅▆▇█";

/** How much of something there was in a stretch of time. */
export interface Point {
  readonly endMs: number;
  readonly lengthMs: number;
  readonly value: number;
}

/**
 * The rate over the last `spanMs` before `endMs`, in `cells` equal parts; null where nothing was measured. A point that
 * lies in two parts counts in each by its share.
 */
export function ratesOf(points: readonly Point[], endMs: number, spanMs: number, cells: number): (number | null)[] {
  const cellMs = spanMs / cells;
  const sums = new Array<number>(cells).fill(0);
  const measured = new Array<number>(cells).fill(0);
  for (const { endMs: to, lengthMs, value } of points) {
    const from = to - lengthMs;
    const first = Math.max(0, Math.floor((from - endMs + spanMs) / cellMs));
    for (let cell = first; cell < cells; cell++) {
      const cellStart = endMs - spanMs + cell * cellMs;
      const overlap = Math.min(to, cellStart + cellMs) - Math.max(from, cellStart);
      if (overlap <= 0) break;
      sums[cell]! += lengthMs > 0 ? (value * overlap) / lengthMs : value;
      measured[cell]! += overlap;
    }
  }
  return sums.map((sum, cell) => (measured[cell]! > 0 ? sum / measured[cell]! : null));
}

/** One line: the highest is a full block, nothing a low line, what was not measured blank. */
export function sparkline(rates: readonly (number | null)[]): string {
  const highest = Math.max(0, ...rates.map((rate) => rate ?? 0));
  return rates
    .map((rate) => {
      if (rate === null) return " ";
      return BLOCKS[rate === 0 || highest === 0 ? 1 : Math.max(2, Math.ceil((rate / highest) * 8))]!;
    })
    .join("");
}

/** A bar `share` of `width` long, to an eighth of a cell. */
export function horizontalBar(share: number, width: number): string {
  const eighths = Math.round(Math.min(Math.max(share, 0), 1) * width * 8);
  const rest = LEFT_BLOCKS[eighths % 8]!;
  return "█".repeat(Math.floor(eighths / 8)) + rest;
}

const LEFT_BLOCKS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** Columns of these heights, as `height` lines from the top. What is not 0 shows. */
export function columnChart(values: readonly number[], height: number): string[] {
  const highest = Math.max(0, ...values);
  const eighths = values.map((value) =>
    value === 0 || highest === 0 ? 0 : Math.max(1, Math.round((value / highest) * height * 8)),
  );
  return Array.from({ length: height }, (_, line) => {
    const below = (height - 1 - line) * 8;
    return eighths.map((eighth) => BLOCKS[Math.min(Math.max(eighth - below, 0), 8)]).join("");
  });
}
