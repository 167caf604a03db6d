/** What the meter counted as OpenTelemetry's metrics: cumulative histograms, so the latest export holds all before it. */
import { ValueType } from "@opentelemetry/api";
import {
  AggregationTemporality,
  DataPointType,
  type HistogramMetricData,
  type ResourceMetrics,
} from "@opentelemetry/sdk-metrics";
import type { BucketCounts, Meter, Series } from "../core/meter.ts";
import type { Side } from "../core/profile/parties.ts";
import { metricAttributes } from "./http-conventions.ts";
import { type Resources, SCOPE } from "./otlp-resource.ts";

export /** What the semantic conventions advise for durations, and the SDK's own for the rest. */
const BUCKETS = {
  durationS: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
  bodyBytes: [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000],
};
/** One for each process. */
export function resourceMetrics(meter: Meter, resources: Resources, startUs: number, endUs: number): ResourceMetrics[] {
  const byProcess = new Map<string, Series[]>();
  for (const one of meter.series.values()) {
    const { process } = one.labels;
    byProcess.set(process, [...(byProcess.get(process) ?? []), one]);
  }
  return [...byProcess].map(([process, series]) => ({
    resource: resources.of(process),
    scopeMetrics: [
      {
        scope: SCOPE,
        metrics: (["server", "client"] as const).flatMap((side) => sideMetrics(side, series, startUs, endUs)),
      },
    ],
  }));
}

function sideMetrics(side: Side, all: readonly Series[], startUs: number, endUs: number): HistogramMetricData[] {
  const series = all.filter(({ labels }) => labels.side === side);
  if (series.length === 0) return [];
  const metric = (
    name: string,
    unit: string,
    description: string,
    boundaries: number[],
    of: (one: Series) => BucketCounts,
  ) => ({
    descriptor: { name: `http.${side}.${name}`, description, unit, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPointType: DataPointType.HISTOGRAM as const,
    dataPoints: series.map((one) => {
      const { sum, count, min, max, counts } = of(one);
      return {
        startTime: microseconds(startUs),
        endTime: microseconds(endUs),
        attributes: metricAttributes(one.labels),
        value: { buckets: { boundaries, counts: [...counts] }, sum, count, min, max },
      };
    }),
  });
  const { durationS, bodyBytes } = BUCKETS;
  const whose = side === "server" ? "HTTP server" : "HTTP client";
  return [
    metric("request.duration", "s", `Duration of ${whose} requests.`, durationS, (one) => one.durationS),
    metric("request.body.size", "By", `Size of ${whose} request bodies.`, bodyBytes, (one) => one.requestBodyBytes),
    metric("response.body.size", "By", `Size of ${whose} response bodies.`, bodyBytes, (one) => one.responseBodyBytes),
  ];
}

/** Epoch microseconds as what OpenTelemetry calls HrTime. */
function microseconds(us: number): [seconds: number, nanos: number] {
  return [Math.floor(us / 1e6), Math.round(us % 1e6) * 1000];
}
