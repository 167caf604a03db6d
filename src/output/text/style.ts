import { Chalk } from "chalk";
import type { GroupBy, ViewConfig } from "../../config.ts";
import type { Digits } from "../units.ts";

export type Paint = (text: string) => string;

/** How this run's text looks: its width, its precision and its colours, which do nothing when colour is off. */
export interface Style {
  /** No line is wider. */
  readonly columns: number;
  readonly digits: Digits;
  readonly groupBy: GroupBy;
  readonly showsTcp: boolean;
  readonly title: Paint;
  /** The profiled process, or what else the eye should find first. */
  readonly strong: Paint;
  /** What explains rather than tells. */
  readonly dim: Paint;
  /** Something is missing from the numbers. */
  readonly alarm: Paint;
  readonly sent: Paint;
  readonly received: Paint;
  /** By class of the status code. */
  readonly status: (status: string | number) => Paint;
}

/** Narrower terminals wrap what was laid out for this. */
const LEAST_COLUMNS = 80;
/** From these on there is room for more columns, and for a third digit. */
export const WIDE = 110;
export const VERY_WIDE = 140;

export function styleOf(view: ViewConfig): Style {
  const columns = Math.max(view.columns, LEAST_COLUMNS);
  // An instance of our own: chalk's default one looks at the environment, but the command line has decided already.
  const chalk = new Chalk({ level: view.color ? 1 : 0 });
  const byClass: Readonly<Record<string, Paint>> = { 2: chalk.green, 3: chalk.cyan, 4: chalk.yellow, 5: chalk.red };
  return {
    columns,
    digits: columns < WIDE ? 2 : 3,
    groupBy: view.groupBy,
    showsTcp: view.tcp,
    title: chalk.bold.cyan,
    strong: chalk.bold,
    dim: chalk.dim,
    alarm: chalk.bold.red,
    sent: chalk.cyan,
    received: chalk.green,
    status: (status) => byClass[String(status).charAt(0)] ?? chalk.dim,
  };
}
