/** A sample as a span of OpenTelemetry: below the one that its request names, or of a trace of its own. */
import { SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import type { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import type { Instant } from "../core/profile/instant.ts";
import type { Sample, SampleEvent } from "../core/profile/sample.ts";
import { spanAttributes } from "./http-conventions.ts";
import { type Resources, SCOPE } from "./otlp-resource.ts";
import { callerSpan, hexTraceId, ownIds } from "./span-ids.ts";

export type ReadableSpan = Parameters<OTLPTraceExporter["export"]>[0][number];
type HrTime = [seconds: number, nanos: number];

export function spanOf(sample: Sample, resources: Resources): ReadableSpan {
  const { trace, side, request, response, wire } = sample;
  const own = ownIds(sample);
  const parent = trace === null ? null : callerSpan(trace);
  const traceId = padded((trace === null ? null : hexTraceId(trace)) ?? own.traceId);
  const start = hrTime(wire!.start);
  const isError = response.status >= (side === "server" ? 500 : 400);
  return {
    name: side === "server" ? `${request.method} ${wire!.route}` : request.method,
    kind: side === "server" ? SpanKind.SERVER : SpanKind.CLIENT,
    spanContext: () => ({ traceId, spanId: own.spanId, traceFlags: TraceFlags.SAMPLED }),
    ...(parent && {
      parentSpanContext: { traceId, spanId: parent.spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true },
    }),
    startTime: start,
    endTime: plus(start, sample.durationMs),
    duration: plus([0, 0], sample.durationMs),
    status: { code: isError ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: spanAttributes(sample),
    links: [],
    events: sample.events.flatMap(timedEvents),
    ended: true,
    resource: resources.of(sample.process.comm),
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function padded(traceId: string): string {
  return traceId.padStart(32, "0");
}

/** OpenTelemetry's events have one time: the end, with how long it took. */
function timedEvents({ name, start, end, tags, summary }: SampleEvent) {
  const durationNs = (end.seconds - start.seconds) * 1e9 + end.nanos - start.nanos;
  return { name, time: hrTime(end), attributes: { ...tags, ...summary, duration_ns: durationNs } };
}

function hrTime({ seconds, nanos }: Instant): HrTime {
  return [seconds, nanos];
}

function plus([seconds, nanos]: HrTime, ms: number): HrTime {
  const sum = nanos + Math.round(ms * 1e6);
  return [seconds + Math.floor(sum / 1e9), sum % 1e9];
}
