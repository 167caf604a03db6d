/** The line that is always there: whom, since when, how much, how many fail, and how far the numbers can be trusted. */
import type { EdgeProfile } from "../../core/profile/edge.ts";
import type { Window } from "../../core/profile/window.ts";
import { cutMiddle } from "../../output/text/layout.ts";
import { targetText } from "../../output/text/start.ts";
import { errorShare } from "../../output/text/statuses.ts";
import { formatCount, formatCounted, formatPercent, formatRate } from "../../output/units.ts";
import { ratesOf, sparkline } from "../chart.ts";
import { MINUTE_MS, type RunData } from "../run-data.ts";
import { fitted, joined, type Segment, widthOf } from "../segments.ts";
import type { State } from "../state.ts";
import type { Theme } from "../theme.ts";
import { Line } from "./line.tsx";

export interface ViewProps {
  readonly data: RunData;
  readonly state: State;
  readonly theme: Theme;
  /** Lines that there are for it. */
  readonly height: number;
}

const LEAST_SPARKLINE = 8;
const MOST_SPARKLINE = 60;

export function Header({ data, state, theme }: Omit<ViewProps, "height">) {
  const width = theme.columns - 2;
  const minute = { text: " ".repeat(LEAST_SPARKLINE), paint: theme.bar, drop: 3 };
  const shown = fitted([...whatSegments(data, state, theme), minute, ...captureSegments(data, theme)], width);
  const room = Math.min(width - widthOf(shown) + LEAST_SPARKLINE, MOST_SPARKLINE);
  const parts = shown.map((part) => (part === minute ? { ...part, text: lastMinute(data, room) } : part));
  return <Line text={` ${joined(parts, width)}`} />;
}

/** What is not read, by the warnings about it. */
export function unreadableCount({ warnings }: RunData): number {
  return warnings.filter(({ warning: { code } }) => code === "http2" || code.endsWith("-unreadable")).length;
}

function whatSegments(data: RunData, state: State, theme: Theme): Segment[] {
  const targets = (data.start?.targets ?? []).map(targetText).join(", ") || "a recording";
  return [
    { text: "l7prof", paint: theme.title, drop: 4 },
    {
      text: cutMiddle(targets, Math.max(LEAST_TARGETS, theme.columns - ROOM_OF_THE_REST)),
      paint: theme.strong,
      drop: 1,
    },
    timeSegment(data, state, theme),
    ...rateSegments(data, theme),
  ];
}

const LEAST_TARGETS = 20;
const ROOM_OF_THE_REST = 80;

function timeSegment(data: RunData, { isPaused }: State, theme: Theme): Segment {
  const { start, ended } = data;
  const startUs = start?.timeUs ?? 0;
  const time = elapsed(((latestOf(data)?.timeUs ?? startUs) - startUs) / 1000);
  if (ended !== null) return { text: `${time} ENDED`, paint: theme.notice };
  return isPaused ? { text: `${time} PAUSED`, paint: theme.notice } : { text: time };
}

/** The last window, and at the end the whole run. */
function latestOf({ window, total, ended }: RunData): Window | null {
  return ended === null ? window : total;
}

function rateSegments(data: RunData, theme: Theme): Segment[] {
  const latest = latestOf(data);
  if (latest === null) return [{ text: "waiting for the first interval", paint: theme.dim }];
  const requests = sum(latest, ({ requests }) => requests);
  const errors = sum(latest, (edge) => Math.round(errorShare(edge) * edge.requests));
  return [
    { text: `${formatRate(sum(latest, ({ cpm }) => cpm))} CPM` },
    {
      text: `${formatPercent(requests === 0 ? 0 : errors / requests)}% errors`,
      paint: errors > 0 ? theme.status(500) : theme.dim,
    },
    { text: `${formatCount(sum(latest, ({ inFlight }) => inFlight))} waiting`, paint: theme.dim, drop: 5 },
  ];
}

function sum({ edges }: Window, of: (edge: EdgeProfile) => number): number {
  return edges.reduce((sum, edge) => sum + of(edge), 0);
}

/** Red when it is not perfect. */
function captureSegments(data: RunData, theme: Theme): Segment[] {
  const { coverage = 1, lostEvents = 0 } = latestOf(data)?.capture ?? {};
  const unreadable = unreadableCount(data);
  const covered = `coverage ${formatPercent(coverage, 2)} %`;
  return [
    coverage < 1 ? { text: `! ${covered}`, paint: theme.alarm } : { text: covered, paint: theme.dim, drop: 2 },
    ...(lostEvents > 0 ? [{ text: `! ${formatCounted(lostEvents, "event")} lost`, paint: theme.alarm }] : []),
    ...(unreadable > 0 ? [{ text: `! ${unreadable} not read`, paint: theme.alarm }] : []),
  ];
}

function lastMinute({ history, window }: RunData, cells: number): string {
  const points = history.map(({ endMs, lengthMs, requests }) => ({ endMs, lengthMs, value: requests }));
  return sparkline(ratesOf(points, (window?.timeUs ?? 0) / 1000, MINUTE_MS, cells));
}

/** `0:01:23` */
export function elapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
