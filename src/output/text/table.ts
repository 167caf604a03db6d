/** Rows into a table without borders: titles above a thin rule, the flexible column cut to what the others leave. */
import Table, { type Cell } from "cli-table3";
import { cutMiddle } from "./layout.ts";
import type { Paint, Style } from "./style.ts";

export interface Column<Row> {
  readonly title: string;
  /** Stands above all neighbouring columns that have the same one. */
  readonly group?: string;
  readonly align: "left" | "right";
  /** On narrower terminals the column is left out. */
  readonly from?: number;
  readonly least?: number;
  /** Longer cells are cut. */
  readonly most?: number;
  /** Takes the width that the others leave; one column of a table. */
  readonly isFlexible?: true;
  readonly cell: (row: Row) => string;
  readonly paint?: (row: Row) => Paint;
}

interface Grid {
  readonly widths: readonly number[];
  readonly gap: number;
}

export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], style: Style): string {
  const shown = columns.filter(({ from = 0 }) => from <= style.columns);
  const texts = rows.map((row) => shown.map((column) => column.cell(row)));
  const grid = gridOf(shown, texts, style.columns);
  const lines = rows.map((row, y) =>
    shown.map((column, x) => paintedCell(column, row, cutMiddle(texts[y]![x]!, grid.widths[x]!))),
  );
  return render([...headOf(shown, grid, style), ...lines], shown, grid);
}

function paintedCell<Row>({ paint }: Column<Row>, row: Row, text: string): string {
  return paint ? paint(row)(text) : text;
}

function gridOf<Row>(columns: readonly Column<Row>[], texts: readonly (readonly string[])[], room: number): Grid {
  const wanted = columns.map(({ title, least = 0, most = room }, x) => {
    const longest = texts.reduce((longest, cells) => Math.max(longest, cells[x]!.length), 0);
    return Math.max(title.length, least, Math.min(longest, most));
  });
  const gap = totalWidth({ widths: wanted, gap: 2 }) <= room ? 2 : 1;
  const excess = Math.max(0, totalWidth({ widths: wanted, gap }) - room);
  return { widths: wanted.map((width, x) => (columns[x]!.isFlexible ? width - excess : width)), gap };
}

function totalWidth({ widths, gap }: Grid): number {
  return widths.reduce((sum, width) => sum + width + gap, -gap);
}

function headOf<Row>(columns: readonly Column<Row>[], grid: Grid, style: Style): Cell[][] {
  const titles = columns.map(({ title }) => style.dim(title));
  const line = [{ colSpan: columns.length, content: style.dim("─".repeat(totalWidth(grid))) }];
  return columns.some(({ group }) => group) ? [groupCells(columns, grid, style), titles, line] : [titles, line];
}

function groupCells<Row>(columns: readonly Column<Row>[], { widths, gap }: Grid, style: Style): Cell[] {
  const cells: Cell[] = [];
  for (let start = 0, end = 0; start < columns.length; start = end) {
    const { group } = columns[start]!;
    end = start + 1;
    while (group && columns[end]?.group === group) end += 1;
    const width = totalWidth({ widths: widths.slice(start, end), gap });
    cells.push({ colSpan: end - start, content: group ? style.dim(overline(group, width)) : "" });
  }
  return cells;
}

function overline(label: string, width: number): string {
  const line = width - label.length - 2;
  if (line < 2) return label.padStart(width);
  return `${"─".repeat(Math.floor(line / 2))} ${label} ${"─".repeat(Math.ceil(line / 2))}`;
}

function render<Row>(lines: Cell[][], columns: readonly Column<Row>[], { widths, gap }: Grid): string {
  const grid = new Table({
    // A cell that spans columns counts one character between two of them, so the rest of the gap is padding.
    chars: { ...NO_BORDERS, middle: " " },
    colWidths: widths.map((width) => width + gap - 1),
    colAligns: columns.map(({ align }) => align),
    style: { "padding-left": 0, "padding-right": gap - 1, head: [], border: [] },
  });
  grid.push(...lines);
  return `${grid.toString().replace(/ +$/gm, "")}\n`;
}

const NO_BORDERS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
};
