import type {
  Sample,
  SampledMessage,
  SampledRequest,
  SampledResponse,
  SampleEvent,
} from "../../core/profile/sample.ts";
import { microsecondsOf, rfc3339 } from "../rfc3339.ts";
import { peerFields, processFields } from "./process.ts";
import { round } from "./round.ts";

/** A sample without its `type`, as it is in a summary. */
export function sampleFields(sample: Sample) {
  const { timeUs, reasons, rule, side, process, peer, protocol, durationMs, ttfbMs, request, response } = sample;
  const { bothSides } = sample;
  return {
    time: rfc3339(timeUs),
    reasons,
    rule,
    side,
    process: processFields(process),
    peer: peerFields(peer),
    protocol,
    durationMs: round(durationMs),
    ttfbMs: round(ttfbMs),
    request: requestFields(request),
    response: responseFields(response),
    trace: sample.trace,
    ...(bothSides && {
      bothSides: {
        clientMs: round(bothSides.clientMs),
        serverMs: round(bothSides.serverMs),
        transitMs: round(bothSides.transitMs),
      },
    }),
    events: sample.events.map(sampleEvent),
    traceProblems: sample.traceProblems,
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

function sampleEvent({ name, start, end, tags, summary }: SampleEvent) {
  return { name, start: rfc3339(microsecondsOf(start)), end: rfc3339(microsecondsOf(end)), tags, summary };
}
