/** What a number of exchanges comes to: how many, how long, how large, with which status. */

/** A distribution of one quantity. Quantiles are within 1 % of the true value; all are 0 when `count` is 0. */
export interface Distribution {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  /** `[upperBound, count]`, non-empty buckets only, ascending; present with `--histograms`. */
  readonly buckets?: readonly (readonly [upperBound: number, count: number])[];
}

/** Completed exchanges by status code, the code as text: `{"200": 99, "404": 1}`. */
export type StatusCounts = Readonly<Record<string, number>>;

export interface Metrics {
  /** Completed exchanges. */
  readonly requests: number;
  /** Completed exchanges a minute. */
  readonly cpm: number;
  readonly statuses: StatusCounts;
  /** Bytes that went over the connection for the message: start line, headers, body with its transfer coding. */
  readonly requestBytes: Distribution;
  readonly responseBytes: Distribution;
  readonly durationMs: Distribution;
  readonly ttfbMs: Distribution;
}
