import type { EdgeProfile } from "../../src/core/profile/edge.ts";

/** What was served: the measure that l7prof, access logs and the servers' own counters share. */
export interface Tally {
  /** By `METHOD URI STATUS`, the URI without its query. */
  readonly exchanges: Readonly<Record<string, number>>;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** The tally of some edges of a summary, which must have been made with --raw-uris. */
export function tallyOf(edges: readonly EdgeProfile[]): Tally {
  const exchanges: Record<string, number> = {};
  let requestBytes = 0;
  let responseBytes = 0;
  for (const { method, uri, statuses, ...sizes } of edges.flatMap((edge) => edge.endpoints)) {
    for (const [status, count] of Object.entries(statuses)) {
      const key = `${method} ${uri} ${status}`;
      exchanges[key] = (exchanges[key] ?? 0) + count;
    }
    requestBytes += sizes.requestBytes.sum;
    responseBytes += sizes.responseBytes.sum;
  }
  return { exchanges, requestBytes, responseBytes };
}

export function totalOf(tally: Tally): number {
  return Object.values(tally.exchanges).reduce((total, count) => total + count, 0);
}
