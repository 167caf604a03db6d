/** The whole run: how it ended, the tables, the worst samples with their evidence, and how far the numbers go. */
import type { Ended, Summary } from "../../core/profile/window.ts";
import { formatCounted, formatDuration } from "../units.ts";
import { captureText } from "./capture.ts";
import { distributionTable } from "./distributions.ts";
import { edgeTables, type Limits } from "./edges.ts";
import { rule, span } from "./layout.ts";
import type { Style } from "./style.ts";
import { tcpTable } from "./tcp.ts";
import { topText } from "./top.ts";

const LIMITS: Limits = { edges: 20, rows: 50 };

const ENDED: Readonly<Record<Ended, string>> = {
  signal: "stopped by Ctrl-C or another signal",
  duration: "--duration reached",
  count: "--count reached",
  "target-exited": "the target exited",
  "end-of-file": "end of the recording",
};

export function summaryText(summary: Summary, style: Style): string {
  const heading = [
    span("SUMMARY", style.title),
    span(`${formatCounted(summary.capture.exchanges, "exchange")} in ${formatDuration(summary.windowMs, 3)}`),
    span(ENDED[summary.ended], style.dim),
  ];
  const tables = edgeTables(summary.edges, LIMITS, style, (edge) =>
    edge.requests > 0 ? `${distributionTable(edge, style)}\n` : "",
  );
  return [
    rule(heading, style.columns, style.dim),
    tables === "" ? "no exchanges\n\n" : `${tables}\n`,
    tcpTable(summary.edges, LIMITS.rows, style),
    topText(summary, style),
    captureText(summary, style),
  ].join("");
}
