import type { Sample } from "../../core/profile/sample.ts";
import { escapeForCell } from "../escape.ts";
import { formatDuration } from "../units.ts";
import { clock } from "./clock.ts";
import { edgeLabel } from "./labels.ts";
import { type Style, VERY_WIDE, WIDE } from "./style.ts";
import type { Column } from "./table.ts";

/** A sample as a row of a list; the trace only where one of them has one. */
export function sampleColumns(samples: readonly Sample[], style: Style): Column<Sample>[] {
  const isWide = style.columns >= WIDE;
  const columns: Column<Sample>[] = [
    { title: "WHEN", align: "left", cell: ({ timeUs }) => clock(timeUs, isWide ? "ms" : "s") },
    { title: "TOOK", align: "right", cell: ({ durationMs }) => formatDuration(durationMs, style.digits) },
    { title: "METHOD", align: "left", most: 8, cell: ({ request }) => escapeForCell(request.method) },
    { title: "URI", align: "left", isFlexible: true, cell: ({ request }) => escapeForCell(request.uri) },
    {
      title: "STATUS",
      align: "right",
      cell: ({ response }) => String(response.status),
      paint: ({ response }) => style.status(response.status),
    },
    { title: "CALLER → CALLED", align: "left", cell: (sample) => edgeLabel(sample, isWide ? 40 : 23) },
  ];
  return samples.some(({ trace }) => trace !== null) ? [...columns, traceColumn(style)] : columns;
}

function traceColumn(style: Style): Column<Sample> {
  const most = style.columns >= VERY_WIDE ? 32 : 9;
  return { title: "TRACE", align: "left", most, cell: ({ trace }) => (trace ? escapeForCell(trace.traceId) : "–") };
}
