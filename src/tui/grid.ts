/** A table that fills a part of the screen: columns that fit, the rows around the selected one. Pure layout. */
import { cutMiddle } from "../output/text/layout.ts";
import type { Paint } from "../output/text/style.ts";
import type { Theme } from "./theme.ts";

export interface GridColumn<Row> {
  readonly title: string;
  readonly align: "left" | "right";
  /** On narrower terminals it is left out. */
  readonly from?: number;
  /** Wide enough for most values, so that the table does not move when they change. */
  readonly least: number;
  readonly most?: number;
  /** Takes the width that the others leave; one column of a grid. */
  readonly isFlexible?: true;
  readonly cell: (row: Row) => string;
  readonly paint?: (row: Row) => Paint;
  /** Ascending; columns without it can't be sorted by. */
  readonly order?: (row: Row) => number | string;
}

export interface GridView<Row> {
  readonly columns: readonly GridColumn<Row>[];
  readonly rows: readonly Row[];
  readonly selected: number;
  /** The title of the column that the rows are sorted by, and the arrow behind it. */
  readonly sort: { readonly title: string; readonly isReversed: boolean };
  readonly height: number;
}

const MARK = "> ";

/** The titles, then as many rows as there is room for. */
export function gridLines<Row>({ columns, rows, selected, sort, height }: GridView<Row>, theme: Theme): string[] {
  const shown = columns.filter(({ from = 0 }) => from <= theme.columns);
  const from = firstRow(selected, rows.length, height - 1);
  const visible = rows.slice(from, from + height - 1);
  const titles = shown.map(({ title }) => (title === sort.title ? `${title}${sort.isReversed ? "↑" : "↓"}` : title));
  const texts = visible.map((row) => shown.map((column) => column.cell(row)));
  const widths = gridWidths(shown, [titles, ...texts], theme.columns - MARK.length);
  const line = (cells: readonly string[], paints: readonly (Paint | undefined)[]) =>
    cells.map((cell, x) => paintedCell(cell, widths[x]!, shown[x]!.align, paints[x])).join(" ");
  const head = theme.dim(" ".repeat(MARK.length) + line(titles, []));
  const body = visible.map((row, y) => {
    if (from + y === selected) return theme.selected((MARK + line(texts[y]!, [])).padEnd(theme.columns));
    return (
      " ".repeat(MARK.length) +
      line(
        texts[y]!,
        shown.map(({ paint }) => paint?.(row)),
      )
    );
  });
  return [head, ...body];
}

/** Keeps the selected row in the middle where it can. */
export function firstRow(selected: number, count: number, height: number): number {
  return Math.max(0, Math.min(selected - Math.floor(height / 2), count - height));
}

/** As wide as the longest cell; what is too much or left over is the flexible column's. */
export function gridWidths(
  columns: readonly Pick<GridColumn<never>, "least" | "most" | "isFlexible">[],
  lines: readonly (readonly string[])[],
  room: number,
): number[] {
  const wanted = columns.map(({ least, most = room }, x) => {
    const longest = lines.reduce((longest, cells) => Math.max(longest, cells[x]!.length), least);
    return Math.min(longest, Math.max(most, least));
  });
  const rest = room - wanted.reduce((sum, width) => sum + width + 1, -1);
  return wanted.map((width, x) => (columns[x]!.isFlexible ? Math.max(LEAST_FLEXIBLE, width + rest) : width));
}

const LEAST_FLEXIBLE = 8;

function paintedCell(text: string, width: number, align: "left" | "right", paint: Paint | undefined): string {
  const cut = cutMiddle(text, width);
  const shown = paint === undefined ? cut : paint(cut);
  const padding = " ".repeat(width - cut.length);
  return align === "left" ? shown + padding : padding + shown;
}
