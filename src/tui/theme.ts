/** How the screen looks: the style of the tables, for a terminal of any width, and what only a screen has. */
import { Chalk } from "chalk";
import type { ViewConfig } from "../config.ts";
import { type Paint, type Style, styleOf, WIDE } from "../output/text/style.ts";

export interface Theme extends Style {
  /** The row that keys act on; without colour its mark `>` tells. */
  readonly selected: Paint;
  /** A key to press. */
  readonly key: Paint;
  /** Needs attention, but nothing is missing. */
  readonly notice: Paint;
  readonly bar: Paint;
  readonly mark: Paint;
}

export function themeOf(view: ViewConfig, columns: number): Theme {
  const chalk = new Chalk({ level: view.color ? 1 : 0 });
  return {
    ...styleOf({ ...view, columns }),
    columns,
    digits: columns < WIDE ? 2 : 3,
    selected: chalk.inverse,
    key: chalk.bold,
    notice: chalk.bold.yellow,
    bar: chalk.cyan,
    mark: chalk.bold,
  };
}
