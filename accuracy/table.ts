/** The rows as a table that is text and Markdown at once. */
import type { Row, Size } from "./row.ts";

const columns: readonly (readonly [title: string, cell: (row: Row) => string])[] = [
  ["server", ({ server }) => server],
  ["client", ({ client }) => client],
  ["exchanges", ({ exchanges }) => count(exchanges)],
  ["upstream", ({ upstream }) => (upstream === null ? "" : count(upstream))],
  ["request bytes", ({ requestBytes }) => size(requestBytes)],
  ["response bytes", ({ responseBytes }) => size(responseBytes)],
  ["log's durations", durationsIn],
  ["in client's", ({ withinClient }) => (withinClient === null ? "" : count(withinClient))],
  ["verdict", verdict],
];

/** A row is wrong if anything differs. */
export function isWrong({ difference }: Row): boolean {
  return difference !== null;
}

export function lineOf(row: Row): string {
  return `${row.server} ← ${row.client}: ${count(row.exchanges)}  ${durationsIn(row)}  ${verdict(row)}`;
}

export function tableOf(rows: readonly Row[]): string {
  const cells = [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, cell]) => cell(row)))];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i]!.length)));
  const [head, ...body] = cells.map((line) => `| ${line.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`);
  return [head, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body].join("\n");
}

export function summaryOf(rows: readonly Row[]): string {
  const exchanges = rows.reduce((sum, row) => sum + row.exchanges + (row.upstream ?? 0), 0);
  return `${rows.length} pairs, ${count(exchanges)} exchanges, ${rows.filter(isWrong).length} wrong`;
}

function verdict({ difference }: Row): string {
  return difference === null ? "exact" : `WRONG: ${difference.replaceAll("|", "\\|")}`;
}

function count(n: number): string {
  return n.toLocaleString("en-US");
}

function size({ bytes, isChecked }: Size): string {
  return isChecked ? count(bytes) : `(${count(bytes)})`;
}

function durationsIn({ durations }: Row): string {
  if (durations === null) return "";
  const { share, withinMs, worstMs } = durations;
  return `${(Math.floor(share * 1000) / 10).toFixed(1)} % within ${withinMs} ms, worst ${worstMs.toFixed(1)} ms`;
}
