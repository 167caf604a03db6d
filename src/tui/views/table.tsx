/** The title of a view, its table, and a word where there is nothing to show. */

import type { TableRow } from "../columns.ts";
import type { GridColumn } from "../grid.ts";
import { gridLines } from "../grid.ts";
import { type Segment, titleLine } from "../segments.ts";
import { selectedIndex, type TableState } from "../state.ts";
import type { Theme } from "../theme.ts";
import { Lines } from "./line.tsx";

export interface TableProps<T> {
  readonly title: readonly Segment[];
  readonly columns: readonly GridColumn<TableRow<T>>[];
  readonly rows: readonly TableRow<T>[];
  readonly table: TableState;
  readonly theme: Theme;
  readonly height: number;
  /** Said where there are no rows. */
  readonly empty: string;
}

export function Table<T>({ title, columns, rows, table, theme, height, empty }: TableProps<T>) {
  const selected = selectedIndex(table.cursor, rows);
  const place = rows.length === 0 ? "" : `${selected + 1} of ${rows.length}`;
  const sort = { title: table.sort, isReversed: table.isReversed };
  const lines =
    rows.length === 0
      ? ["", `  ${theme.dim(empty)}`]
      : gridLines({ columns, rows, selected, sort, height: height - 1 }, theme);
  return <Lines lines={[titleLine(title, place, theme.columns, theme.dim), ...lines]} />;
}
