/** What an export is to the run, and what is said of it at the end. */
import type { Edge } from "../core/edge.ts";
import type { Exchange } from "../core/exchange.ts";
import type { Sample } from "../core/profile/sample.ts";
import type { Start } from "../core/profile/start.ts";
import type { Summary, Window } from "../core/profile/window.ts";
import type { Run } from "../view.ts";

export interface Exporter {
  /** As the user knows it: `--zipkin http://127.0.0.1:9411/api/v2/spans`. */
  readonly name: string;
  start?(start: Start, run: Run): void;
  readonly exchange?: (edge: Edge, exchange: Exchange) => void;
  window?(window: Window): void;
  sample?(sample: Sample): void;
  summary?(summary: Summary): void;
  /** After the summary: sends what still waits, for as long as that makes sense. Never rejects. */
  end(): Promise<Delivered>;
}

/** What became of it all. */
export interface Delivered {
  /** `spans`, `requests`, … */
  readonly what: string;
  readonly sent: number;
  /** Lost: there was no room, or nobody took it. */
  readonly givenUp: number;
  /** What was lost, in words, where there are several kinds of it. */
  readonly givenUpWhat?: string;
  /** The last failure; "" if there was none. */
  readonly why: string;
  /** Left out on purpose, and why: "3 without a trace context". */
  readonly leftOut?: string;
}

/** Says, while the run goes on, that something is wrong. */
export type Trouble = (message: string) => void;
