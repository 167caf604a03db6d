/** One figure of a distribution as a cell; a distribution of nothing has none. */
import type { Distribution } from "../../core/profile/figures.ts";
import { formatBytes, formatDuration } from "../units.ts";
import type { Style } from "./style.ts";

export type Figure = Exclude<keyof Distribution, "count" | "buckets">;

export function durationCell(of: Distribution, figure: Figure, { digits }: Style): string {
  return of.count === 0 ? NONE : formatDuration(of[figure], digits);
}

export function bytesCell(of: Distribution, figure: Figure, { digits }: Style): string {
  return of.count === 0 ? NONE : formatBytes(of[figure], digits);
}

const NONE = "–";
