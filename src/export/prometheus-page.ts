/**
 * The page of metrics for Prometheus, in OpenMetrics for who asks for it. Names follow OpenTelemetry's HTTP conventions as
 * Prometheus writes them. prom-client does the writing; the counts are the meter's, so an exchange costs no call into it.
 */
import client from "prom-client";
import type { BucketCounts, Meter, MeterLabels, Series } from "../core/meter.ts";
import type { Side } from "../core/profile/parties.ts";
import type { Capture } from "../core/profile/window.ts";
import { version } from "../version.ts";

export const BUCKETS = {
  durationS: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
  bodyBytes: [0, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000],
};

type Labels = Record<string, string>;
interface Value {
  readonly labels: Labels;
  readonly value: number;
  readonly metricName?: string;
}
/** What prom-client's registry asks of a metric. */
interface PromMetric {
  name: string;
  readonly help: string;
  readonly type: "histogram" | "counter" | "gauge";
  readonly values: Value[];
}

export class MetricsPage {
  private readonly meter: Meter;
  private readonly capture: () => Capture | null;

  constructor(meter: Meter, capture: () => Capture | null) {
    this.meter = meter;
    this.capture = capture;
  }

  async text(isOpenMetrics: boolean): Promise<{ contentType: string; text: string }> {
    const registry = new client.Registry<client.RegistryContentType>();
    registry.setContentType(isOpenMetrics ? client.openMetricsContentType : client.prometheusContentType);
    for (const metric of this.metrics(isOpenMetrics)) {
      const registered = { ...metric, get: async () => metric } as unknown as client.Metric;
      registry.registerMetric(registered);
    }
    return { contentType: registry.contentType, text: await registry.metrics() };
  }

  /** The name of a counter ends in `_total`, which OpenMetrics adds by itself. */
  private metrics(isOpenMetrics: boolean): PromMetric[] {
    const total = isOpenMetrics ? "" : "_total";
    const capture = this.capture();
    return [
      ...(["server", "client"] as const).flatMap((side) => sideMetrics(side, [...this.meter.series.values()])),
      single("l7prof_build_info", "gauge", "The l7prof that serves this page.", 1, { version: version() }),
      single(`l7prof_exchanges_in_other_series${total}`, "counter", OTHERS, this.meter.others),
      ...(capture === null ? [] : captureMetrics(capture, total)),
    ];
  }
}

const OTHERS = "Exchanges counted under (other), since there were too many label sets.";

function sideMetrics(side: Side, all: readonly Series[]): PromMetric[] {
  const series = all.filter(({ labels }) => labels.side === side);
  if (series.length === 0) return [];
  const metric = (name: string, help: string, bounds: readonly number[], of: (one: Series) => BucketCounts) => ({
    name: `http_${side}_${name}`,
    help,
    type: "histogram" as const,
    values: series.flatMap((one) => histogram(`http_${side}_${name}`, promLabels(one.labels), bounds, of(one))),
  });
  const { durationS, bodyBytes } = BUCKETS;
  return [
    metric("request_duration_seconds", `Duration of HTTP ${side} requests.`, durationS, (one) => one.durationS),
    metric("request_body_size_bytes", `Size of HTTP ${side} request bodies.`, bodyBytes, (one) => one.requestBodyBytes),
    metric(
      "response_body_size_bytes",
      `Size of HTTP ${side} response bodies.`,
      bodyBytes,
      (one) => one.responseBodyBytes,
    ),
  ];
}

function promLabels({
  side,
  process,
  protocol,
  method,
  route,
  status,
  serverAddress,
  serverPort,
}: MeterLabels): Labels {
  return {
    process,
    url_scheme: protocol,
    http_request_method: method,
    ...(side === "server" ? { http_route: route } : { url_template: route }),
    http_response_status_code: status === 0 ? "" : String(status),
    ...(side === "client" && {
      server_address: serverAddress,
      server_port: serverPort === null ? "" : String(serverPort),
    }),
  };
}

/** Buckets are cumulative here. */
function histogram(
  name: string,
  labels: Labels,
  bounds: readonly number[],
  { counts, sum, count }: BucketCounts,
): Value[] {
  let below = 0;
  const buckets = bounds.map((bound, i) => {
    below += counts[i]!;
    return { metricName: `${name}_bucket`, labels: { ...labels, le: leOf(bound) }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_bucket`, labels: { ...labels, le: "+Inf" }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}

/** OpenMetrics wants a float: `1.0`. */
function leOf(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

function captureMetrics(capture: Capture, total: string): PromMetric[] {
  const counter = (name: string, help: string, value: number) =>
    single(`l7prof_${name}${total}`, "counter", help, value);
  return [
    counter("exchanges", "Requests with their response.", capture.exchanges),
    counter("events", "Socket calls and connection changes that were read.", capture.events),
    counter(
      "lost_events",
      "Events that were lost: the buffer between the kernel and l7prof was full.",
      capture.lostEvents,
    ),
    counter("unanswered_requests", "Requests without a response.", capture.unansweredRequests),
    counter("orphan_responses", "Responses whose request was not seen.", capture.orphanResponses),
    counter("unparsed_messages", "Not HTTP/1, or broken.", capture.unparsedMessages),
    single(
      "l7prof_coverage_ratio",
      "gauge",
      "Share of the bytes of HTTP connections that was accounted for.",
      capture.coverage,
    ),
  ];
}

function single(name: string, type: "counter" | "gauge", help: string, value: number, labels: Labels = {}): PromMetric {
  return { name, type, help, values: [{ labels, value }] };
}
