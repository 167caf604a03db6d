/** The last line: what is typed, what was just done, how far a recording is read, or the keys that work here. */
import { escapeForCell } from "../../output/escape.ts";
import { formatBytes, formatDuration } from "../../output/units.ts";
import { horizontalBar } from "../chart.ts";
import { fitted, joined, type Segment, widthOf } from "../segments.ts";
import type { State } from "../state.ts";
import type { Theme } from "../theme.ts";
import { Line } from "./line.tsx";

/** How far a recording is read. */
export interface Reading {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly leftMs: number;
}

export interface FooterProps {
  readonly state: State;
  readonly theme: Theme;
  readonly reading: Reading | null;
}

export function Footer({ state, theme, reading }: FooterProps) {
  const width = theme.columns - 2;
  if (state.typedOver !== null) {
    return <Line text={` ${theme.key("filter:")} ${escapeForCell(state.filter)}█  ${theme.dim(FILTER_HINT)}`} />;
  }
  if (state.notice !== null) return <Line text={` ${theme.notice(escapeForCell(state.notice))}`} />;
  if (reading !== null) return <Line text={` ${progressText(reading, width, theme)}`} />;
  return <Line text={` ${joined(fitted(hints(state, theme), width), width)}`} />;
}

const FILTER_HINT = "GET, 5xx, 404, part of a URI; Enter keeps it, Esc undoes it";
const BAR = 30;

function progressText({ doneBytes, totalBytes, leftMs }: Reading, width: number, theme: Theme): string {
  const share = totalBytes === 0 ? 1 : doneBytes / totalBytes;
  const parts: Segment[] = [
    { text: "reading the recording", drop: 1 },
    { text: `${Math.floor(share * 100)} %`, paint: theme.strong },
    { text: `${formatBytes(doneBytes, 3)} of ${formatBytes(totalBytes, 3)}` },
    { text: `${formatDuration(leftMs, 2)} left` },
  ];
  const shown = fitted(parts, width);
  const bar = Math.min(BAR, width - widthOf(shown) - 2);
  const drawn = bar < 5 ? [] : [{ text: horizontalBar(share, bar).padEnd(bar, "░"), paint: theme.bar }];
  return joined([...shown, ...drawn], width);
}

function hints(state: State, theme: Theme): Segment[] {
  const hint = (key: string, what: string, drop: number): Segment => ({
    text: `${key} ${what}`,
    paint: (text) => `${theme.key(text.slice(0, key.length))}${theme.dim(text.slice(key.length))}`,
    drop,
  });
  const scope = hint("t", state.scope === "total" ? "last interval" : "since start", 5);
  const always = [hint("p", state.isPaused ? "go on" : "pause", 3), hint("?", "help", 1), hint("q", "quit", 1)];
  const table = (enter: string, ...more: Segment[]) => [
    hint("Enter", enter, 2),
    hint("/", "filter", 3),
    hint("s", "sort", 4),
    hint("r", "reverse", 7),
    ...more,
    ...always,
  ];
  if (state.detail !== null)
    return [hint("↑↓", "scroll", 5), hint("Esc", "back", 2), ...detailHints(state, hint), ...always.slice(1)];
  switch (state.view) {
    case "edges":
      return table("its endpoints", scope, hint("0", "reset", 6));
    case "endpoints":
      return table("its distributions", scope, hint("0", "reset", 6));
    case "statuses":
      return table("the endpoints with it", scope, hint("0", "reset", 6));
    case "samples":
      return table("whole sample", hint("←→", "slow, 4xx, 5xx", 5));
    case "distributions":
      return [hint("←→", "served, called", 2), hint("Esc", "back", 2), hint("0", "reset", 6), ...always];
    default:
      return [hint("↑↓", "scroll", 2), hint("Esc", "back", 2), ...always];
  }
}

function detailHints({ isRaw, isCurl }: State, hint: (key: string, what: string, drop: number) => Segment): Segment[] {
  return [
    hint("c", isCurl ? "the sample" : "as curl", 2),
    hint("w", "write to a file", 3),
    hint("x", isRaw ? "as text" : "as bytes", 4),
  ];
}
