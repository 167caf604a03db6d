/** Who is shown a run: what Session tells, in the order of the run. The screen is one, a format that is written another. */
import type { Edge } from "./core/edge.ts";
import type { Exchange } from "./core/exchange.ts";
import type { Focus } from "./core/overview.ts";
import type { Metrics } from "./core/profile/figures.ts";
import type { Sample } from "./core/profile/sample.ts";
import type { Start } from "./core/profile/start.ts";
import type { Summary, Total, Warning, Window } from "./core/profile/window.ts";
import type { Output } from "./output/output.ts";
import type { Progress } from "./source.ts";

export interface View {
  start(start: Start, run: Run): void;
  window(window: Window): void;
  sample(sample: Sample): void;
  /** Each completed exchange, for who counts for itself. The hot path; both are valid during the call alone. */
  readonly exchange?: (edge: Edge, exchange: Exchange) => void;
  warning(warning: Warning): void;
  summary(summary: Summary): void;
  /** After the summary; resolves when whoever looks at it has seen enough. */
  end(): Promise<void>;
  /** However the run ended. */
  close(): void;
}

/** What a view may ask of the run that it shows. */
export interface Run {
  /** From the start, or the last reset, to the end of the last window. */
  total(): Total;
  /** Over the same time, with their buckets. */
  distributions(focus: Focus): Metrics;
  /** `total` begins anew; the summary is of the whole run all the same. */
  reset(): void;
  setIntervalMs(ms: number): void;
  /** How far a recording has been read; null in a live run. */
  progress(): Progress | null;
  /** What was captured is still read, then comes the summary. */
  stop(): void;
}

export interface WrittenTo {
  /** Data, in the format of the output. */
  readonly write: (text: string) => void;
  /** For people, beside the data: where warnings go if they are no part of it. */
  readonly tell: (text: string) => void;
  readonly close: () => void;
}

/** Each part is written as soon as it is told. */
export function writtenView(output: Output, to: WrittenTo): View {
  return {
    start: (start) => to.write(output.start(start)),
    window: (window) => to.write(output.metrics(window)),
    sample: (sample) => to.write(output.sample(sample)),
    warning: (warning) => (output.hasWarnings ? to.write : to.tell)(output.warning(warning)),
    summary: (summary) => to.write(output.summary(summary)),
    end: async () => {},
    close: to.close,
  };
}

/** The run is shown by `main`, and `other` looks on. */
export function together(main: View, other: View): View {
  const { exchange } = other;
  return {
    ...(exchange && { exchange }),
    start(start, run) {
      main.start(start, run);
      other.start(start, run);
    },
    window(window) {
      main.window(window);
      other.window(window);
    },
    sample(sample) {
      main.sample(sample);
      other.sample(sample);
    },
    warning: (warning) => main.warning(warning),
    summary(summary) {
      main.summary(summary);
      other.summary(summary);
    },
    async end() {
      await main.end();
      await other.end();
    },
    close() {
      main.close();
      other.close();
    },
  };
}
