/**
 * NDJSON: one object a line, `type` first, fields in the order of the contract; schema/l7prof.schema.json
 * describes every line. Valid JSON in well-formed UTF-8 whatever the wire held, and safe to print on a terminal.
 */
import type {
  Capture,
  Distribution,
  EdgeProfile,
  EndpointProfile,
  GroupProfile,
  Metrics,
  Sample,
  SampledMessage,
  SampledRequest,
  SampledResponse,
  SampleEvent,
  Summary,
  Window,
} from "../core/profile.ts";
import { escapeInJson } from "./escape.ts";
import type { OutputFactory } from "./output.ts";
import { rfc3339 } from "./rfc3339.ts";

const SCHEMA_VERSION = 1;

export const ndjson: OutputFactory = () => ({
  start: ({ timeUs, l7prof, targets, rules }) =>
    line({ type: "start", version: SCHEMA_VERSION, time: rfc3339(timeUs), l7prof, targets, rules }),
  metrics: (window) => line({ type: "metrics", ...windowStart(window), ...windowEnd(window) }),
  sample: (sample) => line({ type: "sample", ...sampleFields(sample) }),
  warning: ({ timeUs, code, message }) => line({ type: "warning", time: rfc3339(timeUs), code, message }),
  summary: (summary) => line({ type: "summary", ...summaryFields(summary) }),
});

/** JSON.stringify writes a lone surrogate as its escape, so the line is well-formed UTF-8. */
function line(value: object): string {
  return `${escapeInJson(JSON.stringify(value))}\n`;
}

function summaryFields(summary: Summary) {
  const { ended, top, samplesHeldBack } = summary;
  return {
    ...windowStart(summary),
    ended,
    edges: summary.edges.map(edge),
    top: { slow: top.slow.map(sampleFields), "4xx": top["4xx"].map(sampleFields), "5xx": top["5xx"].map(sampleFields) },
    capture: captureFields(summary.capture),
    samplesHeldBack,
  };
}

function windowStart({ timeUs, windowMs }: Window) {
  return { time: rfc3339(timeUs), windowMs: round(windowMs) };
}

function windowEnd({ edges, capture }: Window) {
  return { edges: edges.map(edge), capture: captureFields(capture) };
}

function edge(profile: EdgeProfile) {
  const { side, process, peer, protocol, requests, cpm, inFlight, statuses, statusCpm, endpoints, groups } = profile;
  return {
    side,
    process: { pid: process.pid, comm: process.comm },
    peer: { pid: peer.pid, comm: peer.comm, address: peer.address, port: peer.port },
    protocol,
    requests,
    cpm: round(cpm),
    inFlight,
    statuses,
    statusCpm: Object.fromEntries(Object.entries(statusCpm).map(([status, rate]) => [status, round(rate)])),
    ...distributions(profile),
    endpoints: endpoints.map(endpoint),
    ...(groups && { groups: groups.map(group) }),
  };
}

function endpoint(profile: EndpointProfile) {
  return { method: profile.method, uri: profile.uri, ...metrics(profile) };
}

function group(profile: GroupProfile) {
  return { key: profile.key, ...metrics(profile) };
}

function metrics(of: Metrics) {
  return { requests: of.requests, cpm: round(of.cpm), statuses: of.statuses, ...distributions(of) };
}

function distributions({ requestBytes, responseBytes, durationMs, ttfbMs }: Metrics) {
  return {
    requestBytes: distribution(requestBytes),
    responseBytes: distribution(responseBytes),
    durationMs: distribution(durationMs),
    ttfbMs: distribution(ttfbMs),
  };
}

function distribution({ count, sum, min, max, mean, p50, p75, p90, p95, p99, buckets }: Distribution) {
  return {
    count,
    sum: round(sum),
    min: round(min),
    max: round(max),
    mean: round(mean),
    p50: round(p50),
    p75: round(p75),
    p90: round(p90),
    p95: round(p95),
    p99: round(p99),
    ...(buckets && { buckets: buckets.map(([upperBound, inBucket]) => [round(upperBound), inBucket]) }),
  };
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
    // 1 means that nothing was lost, so nothing else may round to it.
    coverage: capture.coverage < 1 ? Math.min(round(capture.coverage), 0.999999) : 1,
  };
}

function sampleFields(sample: Sample) {
  const { timeUs, reasons, rule, side, process, peer, protocol, durationMs, ttfbMs, request, response } = sample;
  return {
    time: rfc3339(timeUs),
    reasons,
    rule,
    side,
    process: { pid: process.pid, comm: process.comm },
    peer: { pid: peer.pid, comm: peer.comm, address: peer.address, port: peer.port },
    protocol,
    durationMs: round(durationMs),
    ttfbMs: round(ttfbMs),
    request: requestFields(request),
    response: responseFields(response),
    trace: sample.trace,
    events: sample.events.map(sampleEvent),
  };
}

function requestFields(request: SampledRequest) {
  return { method: request.method, uri: request.uri, ...messageFields(request) };
}

function responseFields(response: SampledResponse) {
  return { status: response.status, reason: response.reason, ...messageFields(response) };
}

function messageFields(message: SampledMessage) {
  const { version, headers, bytes, headerBytes, bodyBytes, body, truncated, bodyEncoding } = message;
  return { version, headers, bytes, headerBytes, bodyBytes, body, truncated, bodyEncoding };
}

function sampleEvent({ name, startUs, endUs, tags }: SampleEvent) {
  return { name, start: rfc3339(startUs), end: rfc3339(endUs), tags };
}

/** To the nanosecond where the unit is ms, and without the noise of binary fractions. */
function round(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toFixed(6));
}
