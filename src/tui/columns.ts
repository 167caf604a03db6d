/** The columns of the tables of the screen. Text from outside is escaped here, where it becomes a cell. */
import type { EdgeProfile, EndpointTotal } from "../core/profile/edge.ts";
import type { Metrics } from "../core/profile/figures.ts";
import type { Sample } from "../core/profile/sample.ts";
import { escapeForCell } from "../output/escape.ts";
import { clock } from "../output/text/clock.ts";
import { bytesCell, durationCell } from "../output/text/figures.ts";
import { addressLabel, edgeLabel } from "../output/text/labels.ts";
import { errorShare, statusText, worstStatus } from "../output/text/statuses.ts";
import { VERY_WIDE, WIDE } from "../output/text/style.ts";
import { formatCount, formatDuration, formatPercent, formatRate } from "../output/units.ts";
import type { GridColumn } from "./grid.ts";
import type { Row } from "./state.ts";
import type { Theme } from "./theme.ts";

export interface TableRow<T> extends Row {
  readonly of: T;
}

type Column<T> = GridColumn<TableRow<T>>;

export function edgeColumns(theme: Theme): Column<EdgeProfile>[] {
  return [
    {
      title: "CALLER → CALLED",
      align: "left",
      least: 16,
      isFlexible: true,
      cell: ({ of }) => edgeLabel(of),
      order: ({ of }) => edgeLabel(of),
    },
    { title: "SIDE", align: "left", least: 6, from: 100, cell: ({ side }) => side, paint: () => theme.dim },
    {
      title: "WAIT",
      align: "right",
      least: 4,
      from: 90,
      cell: ({ of }) => formatCount(of.inFlight),
      order: ({ of }) => of.inFlight,
    },
    ...metricColumns<EdgeProfile>(theme, 0),
  ];
}

/** `isMixed`: there are rows of both sides. */
export function endpointColumns(theme: Theme, isMixed: boolean, byHost: boolean): Column<EndpointTotal>[] {
  const method: Column<EndpointTotal> = {
    title: "METHOD",
    align: "left",
    least: 6,
    most: 8,
    cell: ({ of }) => escapeForCell(of.method),
    order: ({ of }) => of.method,
  };
  return [
    ...(isMixed ? [sideColumn<EndpointTotal>(theme)] : []),
    { title: "PROGRAM", align: "left", least: 8, most: 32, from: WIDE, cell: ({ of }) => programOf(of) },
    ...(byHost ? [] : [method]),
    {
      title: byHost ? "HOST" : "URI",
      align: "left",
      least: 12,
      isFlexible: true,
      cell: ({ of }) => escapeForCell(of.uri),
      order: ({ of }) => of.uri,
    },
    ...metricColumns<EndpointTotal>(theme, 100),
  ];
}

export function sampleColumns(theme: Theme): Column<Sample>[] {
  const isWide = theme.columns >= WIDE;
  return [
    {
      title: "WHEN",
      align: "left",
      least: 9,
      cell: ({ of }) => clock(of.timeUs, isWide ? "ms" : "s"),
      order: ({ of }) => of.timeUs,
    },
    {
      title: "TOOK",
      align: "right",
      least: 6,
      cell: ({ of }) => formatDuration(of.durationMs, theme.digits),
      order: ({ of }) => of.durationMs,
    },
    {
      title: "CODE",
      align: "right",
      least: 4,
      cell: ({ of }) => String(of.response.status),
      paint: ({ of }) => theme.status(of.response.status),
    },
    {
      title: "WHY",
      align: "left",
      least: 8,
      from: 100,
      cell: ({ of }) => of.reasons.join(" "),
      paint: () => theme.dim,
    },
    { title: "METHOD", align: "left", least: 6, most: 8, cell: ({ of }) => escapeForCell(of.request.method) },
    { title: "URI", align: "left", least: 12, isFlexible: true, cell: ({ of }) => escapeForCell(of.request.uri) },
    { title: "CALLER → CALLED", align: "left", least: 15, most: isWide ? 40 : 26, cell: ({ of }) => edgeLabel(of) },
    {
      title: "TRACE",
      align: "left",
      least: 5,
      most: theme.columns >= VERY_WIDE ? 32 : 12,
      from: WIDE,
      cell: ({ of }) => (of.trace === null ? "–" : escapeForCell(of.trace.traceId)),
      paint: () => theme.dim,
    },
  ];
}

function sideColumn<T>(theme: Theme): Column<T> {
  return { title: "SIDE", align: "left", least: 6, cell: ({ side }) => side, paint: () => theme.dim };
}

/** `shop`, or what it calls: `shop → 127.0.0.1:42847`. */
function programOf({ comm, called }: EndpointTotal): string {
  const program = escapeForCell(comm);
  return called === null ? program : `${program} → ${addressLabel(called)}`;
}

/** `sizesFrom`: how wide the terminal must be for the sizes. */
function metricColumns<T extends Metrics>(theme: Theme, sizesFrom: number): Column<T>[] {
  return [...rateColumns<T>(theme), ...sizeColumns<T>(theme, sizesFrom), ...durationColumns<T>(theme)];
}

function rateColumns<T extends Metrics>(theme: Theme): Column<T>[] {
  const right = { align: "right" } as const;
  return [
    { ...right, title: "COUNT", least: 7, cell: ({ of }) => formatCount(of.requests), order: ({ of }) => of.requests },
    { ...right, title: "CPM", least: 6, cell: ({ of }) => formatRate(of.cpm), order: ({ of }) => of.cpm },
    {
      ...right,
      title: "ERR",
      least: 5,
      cell: ({ of }) => `${formatPercent(errorShare(of))}%`,
      paint: ({ of }) => (errorShare(of) > 0 ? theme.status(worstStatus(of.statuses)) : theme.dim),
      order: ({ of }) => errorShare(of),
    },
    { title: "STATUSES", align: "left", least: 20, from: 150, cell: ({ of }) => statusText(of.statuses, 30) },
  ];
}

function sizeColumns<T extends Metrics>(theme: Theme, from: number): Column<T>[] {
  const size = { align: "right", least: 5, from } as const;
  return [
    {
      ...size,
      title: "REQ",
      from: Math.max(from, 90),
      cell: ({ of }) => bytesCell(of.requestBytes, "mean", theme),
      order: ({ of }) => of.requestBytes.mean,
    },
    {
      ...size,
      title: "RESP",
      least: 6,
      cell: ({ of }) => bytesCell(of.responseBytes, "mean", theme),
      order: ({ of }) => of.responseBytes.mean,
    },
  ];
}

function durationColumns<T extends Metrics>(theme: Theme): Column<T>[] {
  const column = (title: string, figure: "p50" | "p95" | "p99" | "max", from: number): Column<T> => ({
    title,
    align: "right",
    least: 5,
    from,
    cell: ({ of }) => durationCell(of.durationMs, figure, theme),
    order: ({ of }) => of.durationMs[figure],
  });
  return [
    { title: "TTFB", align: "right", least: 5, from: WIDE, cell: ({ of }) => durationCell(of.ttfbMs, "p50", theme) },
    column("P50", "p50", 0),
    column("P95", "p95", 0),
    column("P99", "p99", 0),
    column("MAX", "max", 100),
  ];
}
