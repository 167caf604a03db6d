/** The four quantities of an edge, each as a row of its distribution. */
import type { EdgeProfile } from "../../core/profile/edge.ts";
import { bytesCell, durationCell, type Figure } from "./figures.ts";
import { type Style, WIDE } from "./style.ts";
import { type Column, table } from "./table.ts";

interface Quantity {
  readonly name: string;
  readonly cell: (figure: Figure) => string;
}

export function distributionTable(
  { durationMs, ttfbMs, requestBytes, responseBytes, bothSides }: EdgeProfile,
  style: Style,
): string {
  const quantities: Quantity[] = [
    { name: "duration", cell: (figure) => durationCell(durationMs, figure, style) },
    { name: "first byte", cell: (figure) => durationCell(ttfbMs, figure, style) },
    ...(bothSides
      ? [
          { name: "at the server", cell: (figure: Figure) => durationCell(bothSides.serverMs, figure, style) },
          { name: "on the way", cell: (figure: Figure) => durationCell(bothSides.transitMs, figure, style) },
        ]
      : []),
    { name: "request size", cell: (figure) => bytesCell(requestBytes, figure, style) },
    { name: "response size", cell: (figure) => bytesCell(responseBytes, figure, style) },
  ];
  return table(COLUMNS, quantities, style);
}

const FIGURES = ["mean", "min", "p50", "p75", "p90", "p95", "p99", "max", "sum"] as const;

const COLUMNS: readonly Column<Quantity>[] = [
  { title: "", align: "left", isFlexible: true, cell: ({ name }) => name },
  ...FIGURES.map((figure): Column<Quantity> => {
    const from = figure === "p75" ? WIDE : 0;
    return { title: figure.toUpperCase(), align: "right", from, cell: ({ cell }) => cell(figure) };
  }),
];
