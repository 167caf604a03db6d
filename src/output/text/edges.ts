/** The main tables of a window or of the whole run, in the rows that `--group-by` chose. */
import type { EdgeProfile } from "../../core/profile/edge.ts";
import type { Metrics } from "../../core/profile/figures.ts";
import { formatCount, formatCounted, formatRate } from "../units.ts";
import { edgeColumns, endpointColumns, hostColumns, statusColumns } from "./columns.ts";
import { edgeSpans } from "./labels.ts";
import { flow, span } from "./layout.ts";
import { statusSpans } from "./statuses.ts";
import type { Style } from "./style.ts";
import { type Column, table } from "./table.ts";

/** What of a long list is shown; what is not is counted. */
export interface Limits {
  readonly edges: number;
  readonly rows: number;
}

/** `extra` adds to an edge what one part of the output alone shows. */
export function edgeTables(
  edges: readonly EdgeProfile[],
  limits: Limits,
  style: Style,
  extra: (edge: EdgeProfile) => string = () => "",
): string {
  const busiest = edges.toSorted((a, b) => b.requests - a.requests);
  if (style.groupBy === "edge") return cappedTable(edgeColumns(style), busiest, "edge", limits.rows, style);
  const sections = busiest.slice(0, limits.edges).map((edge) => {
    return `${edgeHeader(edge, style)}${extra(edge)}${edgeRows(edge, limits.rows, style)}`;
  });
  const rest = hidden(busiest.slice(limits.edges), "edge", style);
  return [...sections, rest].filter((section) => section !== "").join("\n");
}

function edgeHeader(edge: EdgeProfile, style: Style): string {
  const { requests, cpm, inFlight } = edge;
  const counts = [
    span(formatCounted(requests, "request")),
    span(`${formatRate(cpm)} CPM`),
    ...(inFlight > 0 ? [span(`${formatCount(inFlight)} in flight`)] : []),
  ];
  const head = flow([...edgeSpans(edge, style), ...counts], style.columns, { next: "  " });
  return requests > 0 ? head + flow(statusSpans(edge, style), style.columns) : head;
}

function edgeRows({ endpoints, groups = [] }: EdgeProfile, rows: number, style: Style): string {
  switch (style.groupBy) {
    case "host":
      return cappedTable(hostColumns(style), groups, "host", rows, style);
    case "status":
      return cappedTable(statusColumns(style), groups, "status code", rows, style);
    default:
      return cappedTable(endpointColumns(style), endpoints, "endpoint", rows, style);
  }
}

function cappedTable<Row extends Metrics>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  noun: string,
  limit: number,
  style: Style,
): string {
  if (rows.length === 0) return "";
  return table(columns, rows.slice(0, limit), style) + hidden(rows.slice(limit), noun, style);
}

function hidden(rows: readonly Metrics[], noun: string, style: Style): string {
  if (rows.length === 0) return "";
  const requests = rows.reduce((sum, row) => sum + row.requests, 0);
  return `${style.dim(`… and ${formatCounted(rows.length, `more ${noun}`)} (${formatCounted(requests, "request")})`)}\n`;
}
