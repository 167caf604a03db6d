/** The counts and distributions of a set of exchanges, for the window that runs and for the whole run. */
import type { Exchange } from "./exchange.ts";
import { Histogram } from "./histogram.ts";
import type { Metrics, StatusCounts } from "./profile/figures.ts";
import { Running, type Summable } from "./running.ts";

const NS_PER_MS = 1e6;
const MS_PER_MINUTE = 60_000;

export class MetricSet implements Summable<MetricSet> {
  requests = 0;
  private readonly statuses = new Map<number, number>();
  /** Most exchanges have the status of the one before: those are counted here until another comes. */
  private lastStatus = 0;
  private ofLastStatus = 0;
  private readonly requestBytes = new Histogram();
  private readonly responseBytes = new Histogram();
  private readonly durationNs = new Histogram();
  private readonly ttfbNs = new Histogram();

  record(exchange: Exchange): void {
    this.requests++;
    if (exchange.status !== this.lastStatus) this.countStatuses(exchange.status);
    this.ofLastStatus++;
    this.requestBytes.record(exchange.requestBytes);
    this.responseBytes.record(exchange.responseBytes);
    this.durationNs.record(exchange.responseEndNs - exchange.requestStartNs);
    this.ttfbNs.record(exchange.responseStartNs - exchange.requestStartNs);
  }

  get isEmpty(): boolean {
    return this.requests === 0;
  }

  add(other: MetricSet): void {
    this.requests += other.requests;
    other.countStatuses(other.lastStatus);
    for (const [status, count] of other.statuses) this.addStatus(status, count);
    this.requestBytes.add(other.requestBytes);
    this.responseBytes.add(other.responseBytes);
    this.durationNs.add(other.durationNs);
    this.ttfbNs.add(other.ttfbNs);
  }

  reset(): void {
    this.requests = 0;
    this.statuses.clear();
    this.ofLastStatus = 0;
    for (const histogram of [this.requestBytes, this.responseBytes, this.durationNs, this.ttfbNs]) histogram.reset();
  }

  profile(windowMs: number, withBuckets: boolean): Metrics {
    return {
      requests: this.requests,
      cpm: perMinute(this.requests, windowMs),
      statuses: this.statusCounts(),
      requestBytes: this.requestBytes.distribution(1, withBuckets),
      responseBytes: this.responseBytes.distribution(1, withBuckets),
      durationMs: this.durationNs.distribution(NS_PER_MS, withBuckets),
      ttfbMs: this.ttfbNs.distribution(NS_PER_MS, withBuckets),
    };
  }

  statusCounts(): StatusCounts {
    this.countStatuses(this.lastStatus);
    return Object.fromEntries([...this.statuses].sort(([a], [b]) => a - b).map(([status, count]) => [status, count]));
  }

  private countStatuses(next: number): void {
    if (this.ofLastStatus > 0) this.addStatus(this.lastStatus, this.ofLastStatus);
    this.lastStatus = next;
    this.ofLastStatus = 0;
  }

  private addStatus(status: number, count: number): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + count);
  }
}

export function perMinute(count: number, windowMs: number): number {
  return windowMs > 0 ? (count * MS_PER_MINUTE) / windowMs : 0;
}

/** Those of the window that runs and of the whole run. */
export class RunningMetrics extends Running<MetricSet> {
  constructor() {
    super(() => new MetricSet());
  }
}
