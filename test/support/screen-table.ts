/** What a table of the screen says, and what it must say of a run: both as text by column. */
import type { EdgeProfile } from "../../src/core/profile/edge.ts";
import type { Metrics } from "../../src/core/profile/figures.ts";
import { formatBytes, formatCount, formatDuration, formatPercent } from "../../src/output/units.ts";

export type Cells = Readonly<Record<string, string>>;

/** The rows below the titles, by title; no cell may contain a blank. */
export function tableOf(lines: readonly string[]): readonly Cells[] {
  const at = lines.findIndex((line) => /^ +(SIDE|METHOD|PROGRAM|CALLER) /.test(line));
  const titles = wordsOf(lines[at] ?? "").map((title) => title.replace(/[↑↓]$/, ""));
  const rows = lines.slice(at + 1, -1).map((line) => wordsOf(line.slice(2)));
  return rows
    .filter((cells) => cells.length === titles.length)
    .map((cells) => Object.fromEntries(cells.map((cell, index) => [titles[index]!, cell])));
}

/** `a → b` is one cell. */
function wordsOf(line: string): string[] {
  return line.replaceAll(" → ", "→").trim().split(/\s+/);
}

/** The endpoints of these edges, as the screen writes them; of one edge a method and URI only. */
export function endpointCells(edges: readonly EdgeProfile[], digits: 2 | 3): readonly Cells[] {
  return edges.flatMap(({ side, endpoints }) =>
    endpoints.map(({ method, uri, ...metrics }) => ({
      SIDE: side,
      METHOD: method,
      URI: uri,
      ...metricCells(metrics, digits),
    })),
  );
}

export function metricCells(
  { requests, statuses, requestBytes, responseBytes, durationMs, ttfbMs }: Metrics,
  digits: 2 | 3,
): Cells {
  const errors = Object.entries(statuses).reduce(
    (sum, [status, count]) => (/^[45]/.test(status) ? sum + count : sum),
    0,
  );
  const time = (ms: number) => formatDuration(ms, digits);
  return {
    COUNT: formatCount(requests),
    ERR: `${formatPercent(errors / requests)}%`,
    REQ: formatBytes(requestBytes.mean, digits),
    RESP: formatBytes(responseBytes.mean, digits),
    TTFB: time(ttfbMs.p50),
    P50: time(durationMs.p50),
    P95: time(durationMs.p95),
    P99: time(durationMs.p99),
    MAX: time(durationMs.max),
  };
}

/** Of each row of `wanted` the columns that the screen shows, in the order of the keys. */
export function compared(shown: readonly Cells[], wanted: readonly Cells[]): [readonly Cells[], readonly Cells[]] {
  const columns = Object.keys(wanted[0] ?? {}).filter((column) => column in (shown[0] ?? {}));
  const only = (rows: readonly Cells[]) =>
    rows
      .map((row) => Object.fromEntries(columns.map((column) => [column, row[column]!])))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return [only(shown), only(wanted)];
}
