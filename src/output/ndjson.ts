/**
 * NDJSON: one object a line, `type` first, fields in the order of the contract; schema/l7prof.schema.json
 * describes every line. Valid JSON in well-formed UTF-8 whatever the wire held, and safe to print on a terminal.
 */
import type { Capture, Summary, UnreadableTls, Window } from "../core/profile/window.ts";
import { topologyOf } from "../core/topology.ts";
import { escapeInJson } from "./escape.ts";
import { edgeFields } from "./ndjson/edge.ts";
import { round } from "./ndjson/round.ts";
import { sampleFields } from "./ndjson/sample.ts";
import { linkFields } from "./ndjson/topology.ts";
import type { OutputFactory } from "./output.ts";
import { rfc3339 } from "./rfc3339.ts";

const SCHEMA_VERSION = 1;

export const ndjson: OutputFactory = () => ({
  hasWarnings: true,
  start: ({ timeUs, l7prof, targets, rules }) =>
    line({ type: "start", version: SCHEMA_VERSION, time: rfc3339(timeUs), l7prof, targets, rules }),
  metrics: (window) => line({ type: "metrics", ...metricsFields(window) }),
  sample: (sample) => line({ type: "sample", ...sampleFields(sample) }),
  warning: ({ timeUs, code, message }) => line({ type: "warning", time: rfc3339(timeUs), code, message }),
  summary: (summary) => line({ type: "summary", ...summaryFields(summary) }),
});

/** JSON.stringify writes a lone surrogate as its escape, so the line is well-formed UTF-8. */
function line(value: object): string {
  return `${escapeInJson(JSON.stringify(value))}\n`;
}

function metricsFields({ timeUs, windowMs, edges, capture, unreadableTls }: Window) {
  return {
    time: rfc3339(timeUs),
    windowMs: round(windowMs),
    edges: edges.map(edgeFields),
    capture: captureFields(capture),
    ...(unreadableTls && { unreadableTls: unreadableTls.map(unreadableFields) }),
  };
}

function summaryFields(summary: Summary) {
  const { timeUs, windowMs, ended, edges, top, capture, samplesHeldBack, unreadableTls } = summary;
  return {
    time: rfc3339(timeUs),
    windowMs: round(windowMs),
    ended,
    edges: edges.map(edgeFields),
    topology: topologyOf(edges).map(linkFields),
    top: {
      slow: top.slow.map(sampleFields),
      "4xx": top["4xx"].map(sampleFields),
      "5xx": top["5xx"].map(sampleFields),
      ...(top.trace && { trace: top.trace.map(sampleFields) }),
    },
    capture: captureFields(capture),
    samplesHeldBack,
    ...(unreadableTls && { unreadableTls: unreadableTls.map(unreadableFields) }),
  };
}

function unreadableFields({ process: { pid, comm }, library, connections, bytes }: UnreadableTls) {
  return { process: { pid, comm }, library, connections, bytes };
}

function captureFields(capture: Capture) {
  return {
    events: capture.events,
    lostEvents: capture.lostEvents,
    seenBytes: capture.seenBytes,
    capturedBytes: capture.capturedBytes,
    requests: capture.requests,
    responses: capture.responses,
    exchanges: capture.exchanges,
    unansweredRequests: capture.unansweredRequests,
    orphanResponses: capture.orphanResponses,
    unparsedMessages: capture.unparsedMessages,
    tunnelBytes: capture.tunnelBytes,
    // 1 means that nothing was lost, so nothing else may round to it.
    coverage: capture.coverage < 1 ? Math.min(round(capture.coverage), 0.999999) : 1,
  };
}
