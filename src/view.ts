/** Who is shown a run: what Session tells, in the order of the run. The screen is one, a format that is written another. */
import type { Sample, Start, Summary, Warning, Window } from "./core/profile.ts";
import type { Output } from "./output/output.ts";

export interface View {
  start(start: Start): void;
  window(window: Window): void;
  sample(sample: Sample): void;
  warning(warning: Warning): void;
  summary(summary: Summary): void;
  /** After the summary; resolves when whoever looks at it has seen enough. */
  end(): Promise<void>;
  /** However the run ended. */
  close(): void;
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
