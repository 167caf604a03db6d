/** The rows of each table: of the scope that is chosen, narrowed, filtered and sorted. Pure. */
import { edgeKey, endpointKey } from "../core/overview.ts";
import type { EdgeProfile, EndpointTotal } from "../core/profile/edge.ts";
import type { Side } from "../core/profile/parties.ts";
import type { Sample } from "../core/profile/sample.ts";
import type { Window } from "../core/profile/window.ts";
import { edgeLabel } from "../output/text/labels.ts";
import { edgeColumns, endpointColumns, sampleColumns, type TableRow } from "./columns.ts";
import { matcherOf } from "./filter.ts";
import type { GridColumn } from "./grid.ts";
import { type RunData, statusKey } from "./run-data.ts";
import type { State, TableState } from "./state.ts";
import type { Theme } from "./theme.ts";

export interface StatusCount {
  readonly status: string;
  readonly count: number;
  /** Of all exchanges of that side. */
  readonly share: number;
  readonly cpm: number;
}

/** What the tables are about. */
export function windowOf({ total, window }: RunData, { scope }: State): Window | null {
  return scope === "total" ? total : window;
}

export function edgeRows(data: RunData, state: State, theme: Theme): TableRow<EdgeProfile>[] {
  const isWanted = matcherOf(state.filter);
  const rows = (windowOf(data, state)?.edges ?? [])
    .filter((edge) => isWanted({ method: "", statuses: Object.keys(edge.statuses), text: edgeLabel(edge) }))
    .map((of) => ({ id: edgeKey(of), side: of.side, of }));
  return sorted(rows, edgeColumns(theme), state.tables.edges);
}

export function endpointRows(data: RunData, state: State, theme: Theme): TableRow<EndpointTotal>[] {
  const isWanted = matcherOf(state.filter);
  const rows = endpointsOf(windowOf(data, state), state)
    .filter(({ method, uri, comm, statuses }) =>
      isWanted({ method, statuses: Object.keys(statuses), text: `${method} ${uri} ${comm}` }),
    )
    .map((of) => ({ id: endpointKey(of), side: of.side, of }));
  return sorted(rows, endpointColumns(theme, true, false), state.tables.endpoints);
}

export function statusRows(data: RunData, state: State): TableRow<StatusCount>[] {
  const isWanted = matcherOf(state.filter);
  const window = windowOf(data, state);
  const rows = [...countsByStatus(window)]
    .filter(({ of }) => isWanted({ method: "", statuses: [of.status], text: of.status }))
    .sort((a, b) => b.side.localeCompare(a.side) || Number(a.of.status) - Number(b.of.status));
  const { sort, isReversed } = state.tables.statuses;
  if (sort === "COUNT") rows.sort((a, b) => b.of.count - a.of.count);
  return isReversed ? rows.reverse() : rows;
}

/** Newest: what was told, the last of each reason. Slowest: the top N of the run, exactly. */
export function sampleRows(data: RunData, state: State, theme: Theme): TableRow<Sample>[] {
  const isWanted = matcherOf(state.filter);
  const rows = samplesOf(data, state)
    .filter(({ reasons }) => state.reason === "all" || reasons.includes(state.reason))
    .filter((sample) =>
      isWanted({
        method: sample.request.method,
        statuses: [String(sample.response.status)],
        text: `${sample.request.method} ${sample.request.uri} ${edgeLabel(sample)}`,
      }),
    )
    .map((of) => ({ id: sampleKey(of), side: of.side, sample: of, of }));
  return sorted(rows, sampleColumns(theme), state.tables.samples);
}

function samplesOf({ samples, total }: RunData, { tables }: State): readonly Sample[] {
  if (tables.samples.sort === "WHEN") return samples;
  const top = total?.top ?? { slow: [], "4xx": [], "5xx": [] };
  return [...new Set([...top.slow, ...top["4xx"], ...top["5xx"], ...(top.trace ?? [])])];
}

function sampleKey({ timeUs, durationMs, process, request }: Sample): string {
  return [timeUs, durationMs, process.pid, request.method, request.uri].join("\0");
}

function endpointsOf(window: Window | null, { focus }: State): readonly EndpointTotal[] {
  if (focus.edge === null) return window?.endpoints ?? [];
  const edge = window?.edges.find((each) => edgeKey(each) === focus.edge);
  if (edge === undefined) return [];
  const { side, process, peer } = edge;
  const names = { side, comm: process.comm, called: side === "client" ? peer : null };
  return edge.endpoints.map((endpoint) => ({ ...names, ...endpoint }));
}

function countsByStatus(window: Window | null): TableRow<StatusCount>[] {
  const counts = new Map<string, { side: Side; status: string; count: number }>();
  const totals = { server: 0, client: 0 };
  for (const { side, statuses } of window?.edges ?? []) {
    for (const [status, count] of Object.entries(statuses)) {
      const key = statusKey(side, status);
      counts.set(key, { side, status, count: (counts.get(key)?.count ?? 0) + count });
      totals[side] += count;
    }
  }
  const minutes = (window?.windowMs ?? 0) / 60_000;
  return [...counts].map(([id, { side, status, count }]) => ({
    id,
    side,
    status,
    of: { status, count, share: count / totals[side], cpm: minutes > 0 ? count / minutes : 0 },
  }));
}

/** Numbers from the greatest, text from A. */
function sorted<T>(
  rows: TableRow<T>[],
  columns: readonly GridColumn<TableRow<T>>[],
  { sort, isReversed }: TableState,
): TableRow<T>[] {
  const order = columns.find(({ title }) => title === sort)?.order;
  if (order === undefined) return rows;
  const ordered = rows.map((row) => ({ row, by: order(row) })).sort((a, b) => compare(a.by, b.by));
  const result = ordered.map(({ row }) => row);
  return isReversed ? result.reverse() : result;
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === "number" && typeof b === "number") return b - a;
  return a < b ? -1 : a > b ? 1 : 0;
}
