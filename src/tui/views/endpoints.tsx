import { endpointColumns } from "../columns.ts";
import { endpointRows } from "../rows.ts";
import type { ViewProps } from "./header.tsx";
import { edgeName, scopeSegments } from "./scope.ts";
import { Table } from "./table.tsx";

/** What is slow, what fails: one row a method and URI, of everybody or of one edge. */
export function Endpoints({ data, state, theme, height }: ViewProps) {
  const rows = endpointRows(data, state, theme);
  const byHost = rows.length > 0 && rows.every(({ of }) => of.method === "");
  const isMixed = new Set(rows.map(({ side }) => side)).size > 1;
  const { edge } = state.focus;
  const within = edge === null ? [] : [{ text: `of ${edgeName(data, edge)}`, paint: theme.strong }];
  return (
    <Table
      title={[
        { text: byHost ? "HOSTS" : "ENDPOINTS", paint: theme.title },
        ...scopeSegments(data, state, theme),
        ...within,
      ]}
      columns={endpointColumns(theme, isMixed, byHost)}
      rows={rows}
      table={state.tables.endpoints}
      theme={theme}
      height={height}
      empty={state.filter === "" ? "no HTTP exchange yet" : "nothing fits the filter: Esc clears it"}
    />
  );
}
