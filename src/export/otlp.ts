/**
 * `--otlp`: through OpenTelemetry's own packages, OTLP over HTTP with protobuf: the samples as spans, and metrics of all
 * exchanges.
 */
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import type { ResourceMetrics } from "@opentelemetry/sdk-metrics";
import { Meter } from "../core/meter.ts";
import type { Start } from "../core/profile/start.ts";
import type { Window } from "../core/profile/window.ts";
import { Delivery, RejectedError } from "./delivery.ts";
import type { Delivered, Exporter, Trouble } from "./exporter.ts";
import { BUCKETS, resourceMetrics } from "./otlp-metrics.ts";
import { Resources } from "./otlp-resource.ts";
import { type ReadableSpan, spanOf } from "./otlp-span.ts";
import { isWorthAnotherTry } from "./post.ts";

const METRICS_EVERY_US = 10e6;
const ATTEMPT_MS = 5_000;
/** `url`: the base, to which `/v1/traces` and `/v1/metrics` are added. */
export function openOtlp(url: string, onTrouble: Trouble): Exporter {
  const exporters = {
    traces: new OTLPTraceExporter({ url: `${url}/v1/traces`, timeoutMillis: ATTEMPT_MS }),
    metrics: new OTLPMetricExporter({ url: `${url}/v1/metrics`, timeoutMillis: ATTEMPT_MS }),
  };
  const meter = new Meter(BUCKETS);
  const resources = new Resources();
  const spans = new Delivery<ReadableSpan>({
    what: "spans",
    onTrouble,
    send: (batch) => exported((done) => exporters.traces.export([...batch], done)),
  });
  // Each is all that was counted so far: one that waits while another fails is enough.
  const metrics = new Delivery<ResourceMetrics>({
    what: "metric exports",
    onTrouble,
    limits: { batchItems: 1 },
    send: ([batch]) => exported((done) => exporters.metrics.export(batch!, done)),
  });
  let startUs = 0;
  let exportedUs = 0;
  const putMetrics = (timeUs: number) => {
    exportedUs = timeUs;
    for (const each of resourceMetrics(meter, resources, startUs, timeUs)) metrics.put(each);
  };
  return {
    name: `--otlp ${url}`,
    exchange: (edge, exchange) => meter.record(edge, exchange),
    start({ timeUs }: Start) {
      startUs = timeUs;
      exportedUs = timeUs;
    },
    window({ timeUs }: Window) {
      if (timeUs - exportedUs >= METRICS_EVERY_US && metrics.isIdle) putMetrics(timeUs);
    },
    sample: (sample) => spans.put(spanOf(sample, resources)),
    summary: ({ timeUs }) => putMetrics(timeUs),
    async end() {
      const [ofSpans, ofMetrics] = await Promise.all([spans.end(), metrics.end()]);
      await Promise.all([exporters.traces.shutdown(), exporters.metrics.shutdown()]);
      return summed(ofSpans, ofMetrics);
    },
  };
}

/** @throws RejectedError, Error as Delivery wants them */
function exported(start: (done: (result: ExportResult) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start(({ code, error }) => {
      if (code === ExportResultCode.SUCCESS) return resolve();
      const status = (error as { code?: unknown } | undefined)?.code;
      const what = error?.message || String(status ?? "the export failed");
      const isFinal = typeof status === "number" && !isWorthAnotherTry(status);
      reject(isFinal ? new RejectedError(`HTTP ${status}: ${what}`) : new Error(what));
    });
  });
}

function summed(spans: Delivered, metrics: Delivered): Delivered {
  return {
    what: `spans and ${metrics.sent} ${metrics.what}`,
    sent: spans.sent,
    givenUp: spans.givenUp + metrics.givenUp,
    givenUpWhat: `${spans.givenUp} spans and ${metrics.givenUp} ${metrics.what}`,
    why: spans.why || metrics.why,
  };
}
