/** Which answers, how often, and over the last minute. */
import { formatCount, formatPercent, formatRate } from "../../output/units.ts";
import { ratesOf, sparkline } from "../chart.ts";
import type { TableRow } from "../columns.ts";
import type { GridColumn } from "../grid.ts";
import { type StatusCount, statusRows } from "../rows.ts";
import { MINUTE_MS, type RunData } from "../run-data.ts";
import type { Theme } from "../theme.ts";
import type { ViewProps } from "./header.tsx";
import { scopeSegments } from "./scope.ts";
import { Table } from "./table.tsx";

export function Statuses({ data, state, theme, height }: ViewProps) {
  return (
    <Table
      title={[{ text: "STATUSES", paint: theme.title }, ...scopeSegments(data, state, theme)]}
      columns={statusColumns(data, theme)}
      rows={statusRows(data, state)}
      table={state.tables.statuses}
      theme={theme}
      height={height}
      empty={state.filter === "" ? "no HTTP exchange yet" : "nothing fits the filter: Esc clears it"}
    />
  );
}

const OTHER_COLUMNS = 44;

function statusColumns(data: RunData, theme: Theme): GridColumn<TableRow<StatusCount>>[] {
  const cells = Math.max(10, Math.min(theme.columns - OTHER_COLUMNS, 60));
  const paint = ({ of }: TableRow<StatusCount>) => theme.status(of.status);
  return [
    { title: "SIDE", align: "left", least: 6, cell: ({ side }) => side, paint: () => theme.dim },
    { title: "STATUS", align: "left", least: 7, cell: ({ of }) => of.status, paint },
    { title: "COUNT", align: "right", least: 9, cell: ({ of }) => formatCount(of.count) },
    { title: "SHARE", align: "right", least: 6, cell: ({ of }) => `${formatPercent(of.share)}%` },
    { title: "CPM", align: "right", least: 8, cell: ({ of }) => formatRate(of.cpm) },
    {
      title: "THE LAST MINUTE",
      align: "left",
      least: cells,
      isFlexible: true,
      cell: ({ id }) => lastMinute(data, id, cells),
      paint,
    },
  ];
}

/** Each code on a scale of its own: a few errors among many successes must show. */
function lastMinute({ history, window }: RunData, key: string, cells: number): string {
  const points = history.map(({ endMs, lengthMs, statuses }) => ({ endMs, lengthMs, value: statuses.get(key) ?? 0 }));
  return sparkline(ratesOf(points, (window?.timeUs ?? 0) / 1000, MINUTE_MS, cells));
}
