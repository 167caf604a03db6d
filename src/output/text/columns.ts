/** The columns of the main tables: what leads a row, by what is grouped, and the metrics that all of them share. */
import type { EdgeProfile, EndpointProfile, GroupProfile } from "../../core/profile/edge.ts";
import type { Metrics } from "../../core/profile/figures.ts";
import { escapeForCell } from "../escape.ts";
import { formatCount, formatPercent, formatRate } from "../units.ts";
import { bytesCell, durationCell } from "./figures.ts";
import { edgeLabel } from "./labels.ts";
import { errorShare, statusText, worstStatus } from "./statuses.ts";
import { type Style, VERY_WIDE, WIDE } from "./style.ts";
import type { Column } from "./table.ts";

export function endpointColumns(style: Style): Column<EndpointProfile>[] {
  return [
    { title: "METHOD", align: "left", most: 8, cell: ({ method }) => escapeForCell(method) },
    { title: "URI", align: "left", isFlexible: true, cell: ({ uri }) => escapeForCell(uri) },
    ...metricColumns<EndpointProfile>(style),
  ];
}

export function edgeColumns(style: Style): Column<EdgeProfile>[] {
  return [
    { title: "CALLER → CALLED", align: "left", isFlexible: true, cell: (row) => edgeLabel(row) },
    { title: "SIDE", align: "left", from: WIDE, cell: ({ side }) => side },
    { title: "PROTO", align: "left", from: VERY_WIDE, cell: ({ protocol }) => protocol },
    { title: "IN FLIGHT", align: "right", from: WIDE, cell: ({ inFlight }) => formatCount(inFlight) },
    ...metricColumns<EdgeProfile>(style),
  ];
}

export function hostColumns(style: Style): Column<GroupProfile>[] {
  return [
    { title: "HOST", align: "left", isFlexible: true, cell: ({ key }) => escapeForCell(key) },
    ...metricColumns<GroupProfile>(style),
  ];
}

export function statusColumns(style: Style): Column<GroupProfile>[] {
  const key: Column<GroupProfile> = {
    title: "STATUS",
    align: "left",
    isFlexible: true,
    cell: ({ key }) => escapeForCell(key),
    paint: ({ key }) => style.status(key),
  };
  // Every row has one status: its share of errors and its statuses would say the same again.
  return [key, ...metricColumns<GroupProfile>(style).filter(({ title }) => title !== "ERR" && title !== "STATUSES")];
}

function metricColumns<Row extends Metrics>(style: Style): Column<Row>[] {
  return [...rateColumns<Row>(style), ...sizeColumns<Row>(style), ...durationColumns<Row>(style)];
}

function rateColumns<Row extends Metrics>(style: Style): Column<Row>[] {
  return [
    { title: "COUNT", align: "right", from: WIDE, cell: ({ requests }) => formatCount(requests) },
    { title: "CPM", align: "right", cell: ({ cpm }) => formatRate(cpm) },
    {
      title: "ERR",
      align: "right",
      cell: (row) => `${formatPercent(errorShare(row))}%`,
      paint: (row) => (errorShare(row) > 0 ? style.status(worstStatus(row.statuses)) : style.dim),
    },
    { title: "STATUSES", align: "left", from: VERY_WIDE, cell: ({ statuses }) => statusText(statuses, 26) },
  ];
}

function sizeColumns<Row extends Metrics>(style: Style): Column<Row>[] {
  const mean = { group: "MEAN SIZE", align: "right", least: 4 } as const;
  const p95 = { group: "P95 SIZE", align: "right", least: 4, from: VERY_WIDE } as const;
  return [
    { ...mean, title: "REQ", cell: ({ requestBytes }) => bytesCell(requestBytes, "mean", style) },
    { ...mean, title: "RESP", cell: ({ responseBytes }) => bytesCell(responseBytes, "mean", style) },
    { ...p95, title: "REQ", cell: ({ requestBytes }) => bytesCell(requestBytes, "p95", style) },
    { ...p95, title: "RESP", cell: ({ responseBytes }) => bytesCell(responseBytes, "p95", style) },
  ];
}

function durationColumns<Row extends Metrics>(style: Style): Column<Row>[] {
  const duration = { group: "DURATION", align: "right" } as const;
  return [
    { title: "TTFB", align: "right", from: WIDE, cell: ({ ttfbMs }) => durationCell(ttfbMs, "p50", style) },
    { ...duration, title: "P50", cell: ({ durationMs }) => durationCell(durationMs, "p50", style) },
    { ...duration, title: "P95", cell: ({ durationMs }) => durationCell(durationMs, "p95", style) },
    { ...duration, title: "P99", cell: ({ durationMs }) => durationCell(durationMs, "p99", style) },
    { ...duration, title: "MAX", cell: ({ durationMs }) => durationCell(durationMs, "max", style) },
  ];
}
