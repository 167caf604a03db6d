/** One window of the live view: a line with its rates and with what was lost, then the tables. */
import type { EdgeProfile } from "../../core/profile/edge.ts";
import type { Window } from "../../core/profile/window.ts";
import { formatCount, formatCounted, formatPercent, formatRate } from "../units.ts";
import { clock } from "./clock.ts";
import { edgeTables, type Limits } from "./edges.ts";
import { rule, type Span, span } from "./layout.ts";
import type { Style } from "./style.ts";
import { tcpTable } from "./tcp.ts";

const LIMITS: Limits = { edges: 5, rows: 10 };

export function windowText(window: Window, style: Style): string {
  const requests = sum(window, (edge) => edge.requests);
  const inFlight = sum(window, (edge) => edge.inFlight);
  const busy = [span(formatCounted(requests, "request")), span(`${formatRate(sum(window, (edge) => edge.cpm))} CPM`)];
  const spans = [
    span(clock(window.timeUs), style.strong),
    ...(requests > 0 ? busy : [span("no exchanges", style.dim)]),
    ...(inFlight > 0 ? [span(`${formatCount(inFlight)} in flight`)] : []),
    ...captureSpans(window, style),
  ];
  const tables = requests > 0 ? `${edgeTables(window.edges, LIMITS, style)}\n` : "";
  return rule(spans, style.columns, style.dim) + tables + tcpTable(window.edges, LIMITS.rows, style);
}

function captureSpans({ capture: { coverage, lostEvents }, unreadableTls = [] }: Window, style: Style): Span[] {
  const encrypted = unreadableTls.reduce((total, { connections }) => total + connections, 0);
  return [
    span(`coverage ${formatPercent(coverage, 2)} %`, coverage < 1 ? style.alarm : style.dim),
    ...(lostEvents > 0 ? [span(`${formatCounted(lostEvents, "event")} lost`, style.alarm)] : []),
    ...(encrypted > 0 ? [span(`${formatCounted(encrypted, "TLS connection")} not readable`, style.alarm)] : []),
  ];
}

function sum({ edges }: Window, quantity: (edge: EdgeProfile) => number): number {
  return edges.reduce((total, edge) => total + quantity(edge), 0);
}
