/** The four quantities of an edge, each as a row of its distribution. */
import type { Distribution, EdgeProfile } from "../../core/profile.ts";
import { formatBytes, formatDuration } from "../units.ts";
import type { Style } from "./style.ts";
import { type Column, table } from "./table.ts";

interface Quantity {
  readonly name: string;
  readonly of: Distribution;
  readonly format: (value: number) => string;
}

export function distributionTable(edge: EdgeProfile, style: Style): string {
  const ms = (value: number) => formatDuration(value, style.digits);
  const bytes = (value: number) => formatBytes(value, style.digits);
  const quantities: Quantity[] = [
    { name: "duration", of: edge.durationMs, format: ms },
    { name: "first byte after", of: edge.ttfbMs, format: ms },
    { name: "request size", of: edge.requestBytes, format: bytes },
    { name: "response size", of: edge.responseBytes, format: bytes },
  ];
  return table(COLUMNS, quantities, style);
}

const FIGURES = ["mean", "min", "p50", "p75", "p90", "p95", "p99", "max", "sum"] as const;

const COLUMNS: readonly Column<Quantity>[] = [
  { title: "", align: "left", cell: ({ name }) => name },
  ...FIGURES.map(
    (figure): Column<Quantity> => ({
      title: figure.toUpperCase(),
      align: "right",
      cell: ({ of, format }) => format(of[figure]),
    }),
  ),
];
