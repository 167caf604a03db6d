/** One sample: what happened, between whom, then the raw evidence. */
import type { Sample } from "../../core/profile/sample.ts";
import { escapeForCell } from "../escape.ts";
import { formatDuration } from "../units.ts";
import { clock } from "./clock.ts";
import { evidence } from "./evidence.ts";
import { edgeSpans } from "./labels.ts";
import { flow, type Span, span } from "./layout.ts";
import type { Style } from "./style.ts";

export function sampleText(sample: Sample, style: Style): string {
  const asked = flow(askedSpans(sample, style), style.columns, { next: "  " });
  const details = [...outcomeSpans(sample, style), ...edgeSpans(sample, style), ...originSpans(sample, style)];
  return `${asked}${flow(details, style.columns, { first: "  " })}${evidence(sample, style)}\n`;
}

function askedSpans({ timeUs, request }: Sample, style: Style): Span[] {
  const { method, uri } = request;
  return [span(`● ${clock(timeUs)}`), span(`${escapeForCell(method)} ${escapeForCell(uri)}`, style.strong)];
}

function outcomeSpans({ reasons, response, durationMs, ttfbMs }: Sample, style: Style): Span[] {
  return [
    span(String(response.status), style.status(response.status)),
    span(reasons.join(", "), style.alarm),
    span(`took ${formatDuration(durationMs, 3)}, first byte after ${formatDuration(ttfbMs, 3)}`),
  ];
}

function originSpans({ rule, trace, traceProblems }: Sample, style: Style): Span[] {
  const sampledBy = rule === null ? [] : [span(`rule ${escapeForCell(rule)}`, style.dim)];
  const traced = trace === null ? [] : [span(`trace ${escapeForCell(trace.traceId)} (${trace.system})`)];
  const broken = traceProblems.map(({ header, problem }) =>
    span(escapeForCell(`malformed ${header}: ${problem}`), style.dim),
  );
  return [...sampledBy, ...traced, ...broken];
}
