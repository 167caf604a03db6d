/**
 * Histograms with the buckets that a metrics backend expects, counted exchange by exchange, so that they are exact. The
 * number of label sets is bounded: what comes past it is counted under `(other)`.
 */
import type { Edge } from "./edge.ts";
import type { Exchange } from "./exchange.ts";
import type { Protocol, Side } from "./profile/parties.ts";

export interface MeterBuckets {
  /** Inclusive upper bounds, ascending, seconds. */
  readonly durationS: readonly number[];
  /** Bytes. */
  readonly bodyBytes: readonly number[];
}

export interface MeterLabels {
  readonly side: Side;
  /** Name of the process; exchanges of processes of one name are added up. */
  readonly process: string;
  readonly protocol: Protocol;
  readonly method: string;
  /** URI template. */
  readonly route: string;
  readonly status: number;
  /** The server's end, on a client edge; else "" and null. */
  readonly serverAddress: string;
  readonly serverPort: number | null;
}

export class BucketCounts {
  count = 0;
  sum = 0;
  min = Number.POSITIVE_INFINITY;
  max = 0;
  /** One more than there are bounds. */
  readonly counts: Float64Array;
  private readonly bounds: readonly number[];

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  record(value: number): void {
    const { bounds } = this;
    let i = 0;
    while (i < bounds.length && value > bounds[i]!) i++;
    this.counts[i]!++;
    this.count++;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }
}

export class Series {
  readonly labels: MeterLabels;
  readonly durationS: BucketCounts;
  readonly requestBodyBytes: BucketCounts;
  readonly responseBodyBytes: BucketCounts;

  constructor(labels: MeterLabels, { durationS, bodyBytes }: MeterBuckets) {
    this.labels = labels;
    this.durationS = new BucketCounts(durationS);
    this.requestBodyBytes = new BucketCounts(bodyBytes);
    this.responseBodyBytes = new BucketCounts(bodyBytes);
  }
}

const OTHER = "(other)";
const STATUSES = 1000;
const MAX_SERIES = 2000;

export class Meter {
  readonly series = new Map<string, Series>();
  /** Exchanges that were counted under `(other)`. */
  others = 0;
  private readonly buckets: MeterBuckets;
  private readonly maxSeries: number;
  /** Where to look first: by edge, method, and template and status as one number. */
  private readonly index = new Map<Edge, Map<string, Map<number, Series>>>();

  constructor(buckets: MeterBuckets, maxSeries = MAX_SERIES) {
    this.buckets = buckets;
    this.maxSeries = maxSeries;
  }

  record(edge: Edge, exchange: Exchange): void {
    const series = this.known(edge, exchange) ?? this.find(edge, exchange);
    series.durationS.record((exchange.responseEndNs - exchange.requestStartNs) / 1e9);
    series.requestBodyBytes.record(exchange.requestBytes - exchange.requestHeaderBytes);
    series.responseBodyBytes.record(exchange.responseBytes - exchange.responseHeaderBytes);
  }

  private known(edge: Edge, { method, target, status }: Exchange): Series | undefined {
    return this.index
      .get(edge)
      ?.get(method)
      ?.get(target.templateId * STATUSES + status);
  }

  private find(edge: Edge, { method, target, status }: Exchange): Series {
    const labels = labelsOf(edge, method, target.template, status);
    const key = keyOf(labels);
    const there = this.series.get(key);
    if (there === undefined && this.series.size >= this.maxSeries) return this.other(edge);
    const series = there ?? this.add(key, labels);
    const ofEdge = getOrAdd(this.index, edge, () => new Map<string, Map<number, Series>>());
    getOrAdd(ofEdge, method, () => new Map<number, Series>()).set(target.templateId * STATUSES + status, series);
    return series;
  }

  private other(edge: Edge): Series {
    this.others++;
    const labels = { ...labelsOf(edge, OTHER, OTHER, 0), process: OTHER, serverAddress: "", serverPort: null };
    const key = keyOf(labels);
    return this.series.get(key) ?? this.add(key, labels);
  }

  private add(key: string, labels: MeterLabels): Series {
    const series = new Series(labels, this.buckets);
    this.series.set(key, series);
    return series;
  }
}

function labelsOf(edge: Edge, method: string, route: string, status: number): MeterLabels {
  const isClient = edge.side === "client";
  return {
    side: edge.side,
    process: edge.process.comm,
    protocol: edge.protocol,
    method,
    route,
    status,
    serverAddress: isClient ? edge.peer.address : "",
    serverPort: isClient ? edge.peer.port : null,
  };
}

function keyOf(labels: MeterLabels): string {
  return JSON.stringify(Object.values(labels));
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = make();
  map.set(key, value);
  return value;
}
