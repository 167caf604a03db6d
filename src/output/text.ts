/** Tables for people. Every string that came over the wire is escaped where it enters a line. */
import { escapeForTerminal } from "./escape.ts";
import type { OutputFactory } from "./output.ts";
import { sampleText } from "./text/sample.ts";
import { startText } from "./text/start.ts";
import { styleOf } from "./text/style.ts";
import { summaryText } from "./text/summary.ts";
import { windowText } from "./text/window.ts";

export const text: OutputFactory = (view) => {
  const style = styleOf(view);
  return {
    hasWarnings: false,
    start: (start) => startText(start, style),
    metrics: (window) => windowText(window, style),
    sample: (sample) => sampleText(sample, style),
    // Never painted: it goes to stderr, and colour was decided for stdout.
    warning: ({ message }) => `warning: ${escapeForTerminal(message)}\n`,
    summary: (summary) => summaryText(summary, style),
  };
};
