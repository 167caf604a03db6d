import { sampleColumns } from "../columns.ts";
import { sampleRows } from "../rows.ts";
import { REASONS } from "../state.ts";
import type { ViewProps } from "./header.tsx";
import { filterSegments } from "./scope.ts";
import { Table } from "./table.tsx";

/** The exchanges that met a rule: the newest, or the slowest of the whole run. */
export function Samples({ data, state, theme, height }: ViewProps) {
  const isNewest = state.tables.samples.sort === "WHEN";
  const held = data.total?.samplesHeldBack ?? 0;
  const reasons = REASONS.map((reason) => (reason === state.reason ? `[${reason}]` : reason)).join(" ");
  return (
    <Table
      title={[
        { text: "SAMPLES", paint: theme.title },
        { text: reasons, paint: theme.strong },
        { text: isNewest ? "the newest" : "the slowest of the run", paint: theme.dim, drop: 1 },
        ...filterSegments(state, theme),
        ...(isNewest && held > 0 ? [{ text: `${held} held back`, paint: theme.notice, drop: 2 }] : []),
      ]}
      columns={sampleColumns(theme)}
      rows={sampleRows(data, state, theme)}
      table={state.tables.samples}
      theme={theme}
      height={height}
      empty={
        state.filter === ""
          ? "no exchange has met a sampling rule: ? shows the rules"
          : "nothing fits the filter: Esc clears it"
      }
    />
  );
}
