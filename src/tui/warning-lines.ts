/** What could not be read, what was lost, what is profiled and sampled, and what it costs, as lines. */
import { escapeForCell } from "../output/escape.ts";
import { captureText } from "../output/text/capture.ts";
import { clock } from "../output/text/clock.ts";
import { sentence } from "../output/text/layout.ts";
import { ruleText, targetText } from "../output/text/start.ts";
import type { RunData, SeenWarning } from "./run-data.ts";
import { titleLine } from "./segments.ts";
import type { Theme } from "./theme.ts";

/** Shares of one core, 1 for all of it. */
export interface OwnCost {
  readonly all: number;
  readonly screen: number;
}

export function warningLines({ warnings, start, total }: RunData, cost: OwnCost, theme: Theme): string[] {
  const heading = (name: string) => ["", titleLine([{ text: name, paint: theme.title }], "", theme.columns, theme.dim)];
  const none = ` ${theme.dim("Nothing: all HTTP that was seen could be read.")}`;
  return [
    ...(warnings.length === 0 ? [none] : warnings.flatMap((seen) => warningText(seen, theme))),
    ...heading("WHAT IS PROFILED"),
    ...(start?.targets ?? []).map((target) => ` ${targetText(target)}`),
    ...(start?.rules ?? []).map((rule, index) => ` ${theme.dim("samples")} ${ruleText(rule, index)}`),
    ` ${theme.dim("l7prof takes")} ${percent(cost.all)} of a core now, of which this screen ${percent(cost.screen)}`,
    "",
    ...(total === null ? [] : captureText(total, theme).trimEnd().split("\n")),
  ];
}

function warningText({ warning, count }: SeenWarning, theme: Theme): string[] {
  const times = count === 1 ? "" : ` (${count} times)`;
  const text = `${clock(warning.timeUs, "s")}  ${escapeForCell(warning.message)}${times}`;
  const isLoss = warning.code === "lost-events" || warning.code === "coverage";
  const mark = isLoss ? theme.alarm("!") : theme.notice("!");
  return sentence(text, theme.columns - 4, (word) => word)
    .trimEnd()
    .split("\n")
    .map((line, index) => ` ${index === 0 ? mark : " "} ${line}`);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
