import { edgeColumns } from "../columns.ts";
import { edgeRows } from "../rows.ts";
import type { ViewProps } from "./header.tsx";
import { scopeSegments } from "./scope.ts";
import { Table } from "./table.tsx";

/** Who calls whom. */
export function Edges({ data, state, theme, height }: ViewProps) {
  return (
    <Table
      title={[{ text: "EDGES", paint: theme.title }, ...scopeSegments(data, state, theme)]}
      columns={edgeColumns(theme)}
      rows={edgeRows(data, state, theme)}
      table={state.tables.edges}
      theme={theme}
      height={height}
      empty={state.filter === "" ? "no HTTP exchange yet" : "nothing fits the filter: Esc clears it"}
    />
  );
}
