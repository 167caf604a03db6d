/** A distribution over columns of equal width on a logarithmic scale, and where its quantiles lie. Pure. */
import type { Distribution } from "../core/profile/figures.ts";

export interface LogScale {
  /** How many values fell into each column. */
  readonly counts: readonly number[];
  /** The column of a value. */
  readonly columnOf: (value: number) => number;
  /** The value at the left edge of a column. */
  readonly valueAt: (column: number) => number;
}

/** A scale that ends where it begins would have no width. */
const LEAST_RATIO = 4;

/** `smallest`: what the first column begins with if the least value is below it, as 0 bytes are. */
export function logScale({ min, max, buckets = [] }: Distribution, columns: number, smallest: number): LogScale {
  const low = Math.max(min, smallest);
  const high = Math.max(max, low * LEAST_RATIO);
  const perColumn = Math.log(high / low) / columns;
  const columnOf = (value: number) =>
    value <= low ? 0 : Math.min(columns - 1, Math.floor(Math.log(value / low) / perColumn));
  const counts = new Array<number>(columns).fill(0);
  // A bucket's bound may lie a little above the greatest value in it.
  for (const [upperBound, count] of buckets) counts[columnOf(Math.min(upperBound, max))]! += count;
  return { counts, columnOf, valueAt: (column) => low * Math.exp(perColumn * column) };
}

const QUANTILES = ["p50", "p90", "p95", "p99"] as const;

/** A line of names below their columns; of those that would run into each other the later is left out. */
export function quantileMarks(distribution: Distribution, { columnOf }: LogScale, columns: number): string {
  let line = "";
  for (const name of QUANTILES) {
    const at = Math.min(columnOf(distribution[name]), columns - MARK_WIDTH);
    if (at < line.length + (line === "" ? 0 : 1)) continue;
    line = `${line.padEnd(at)}↑${name.slice(1)}`;
  }
  return line;
}

const MARK_WIDTH = "↑50".length;

/** Values at even distances along the scale. */
export function axis({ valueAt }: LogScale, columns: number, format: (value: number) => string): string {
  let line = "";
  for (let at = 0; at < columns; at += LABEL_WIDTH) {
    const label = format(valueAt(at));
    const fits = at + label.length <= columns && (at === 0 || line.length < at);
    if (fits) line = line.padEnd(at) + label;
  }
  return line;
}

const LABEL_WIDTH = 10;
