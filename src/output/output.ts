import type { ViewConfig } from "../config.ts";
import type { Sample } from "../core/profile/sample.ts";
import type { Start } from "../core/profile/start.ts";
import type { Summary, Warning, Window } from "../core/profile/window.ts";

/**
 * A format: each part of a run as text, ready to be written, with its final newline; "" where the format
 * shows nothing for it. No I/O.
 */
export interface Output {
  /** Warnings are part of the data; otherwise they stand beside it. */
  readonly hasWarnings: boolean;
  start(start: Start): string;
  metrics(window: Window): string;
  sample(sample: Sample): string;
  warning(warning: Warning): string;
  summary(summary: Summary): string;
}

export type OutputFactory = (view: ViewConfig) => Output;
