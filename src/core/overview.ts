/** The exchanges without regard to who the peers were: one row an endpoint, and the distributions of any selection. */
import type { Edge } from "./edge.ts";
import { MetricSet, type RunningMetrics } from "./metrics.ts";
import type { EdgeProfile, EndpointTotal } from "./profile/edge.ts";
import type { Metrics } from "./profile/figures.ts";
import type { PeerInfo, Side } from "./profile/parties.ts";

/** A selection of exchanges: those of one side, of one edge of it, of one endpoint. Keys as of the functions below. */
export interface Focus {
  readonly side: Side;
  readonly edge: string | null;
  readonly endpoint: string | null;
}

/** Tells edges apart. */
export function edgeKey({ side, process, peer }: Pick<EdgeProfile, "side" | "process" | "peer">): string {
  return [side, process.pid, process.comm, peer.pid, peer.port, peer.address].join(SEPARATOR);
}

/** Tells endpoints apart: the same path of two programs, or of two servers that one calls, is two. */
export function endpointKey(row: Pick<EndpointTotal, "side" | "comm" | "called" | "method" | "uri">): string {
  const { side, comm, called, method, uri } = row;
  return [side, comm, called?.address, called?.port, method, uri].join(SEPARATOR);
}

/** No name, address or URI can hold it. */
const SEPARATOR = "\0";

/** Most requests first. With `--group-by host` the hosts instead, as URIs without a method. */
export function endpointTotals(
  edges: Iterable<Edge>,
  scope: "window" | "total",
  windowMs: number,
  byHost: boolean,
): EndpointTotal[] {
  const rows = new Map<string, MergedRow>();
  for (const edge of edges) {
    for (const row of rowsOf(edge, byHost)) if (row.metrics[scope].requests > 0) merge(rows, row, row.metrics[scope]);
  }
  return [...rows.values()]
    .map(({ row: { metrics: _, ...names }, metrics }) => ({ ...names, ...metrics.profile(windowMs, false) }))
    .sort((a, b) => b.requests - a.requests);
}

/** Of the whole run so far, with their buckets. */
export function distributionsOf(edges: Iterable<Edge>, focus: Focus, windowMs: number, byHost: boolean): Metrics {
  const sum = new MetricSet();
  for (const edge of edges) {
    if (edge.side !== focus.side || (focus.edge !== null && focus.edge !== edgeKey(edge))) continue;
    for (const row of rowsOf(edge, byHost)) {
      if (focus.endpoint === null || focus.endpoint === endpointKey(row)) sum.add(row.metrics.total);
    }
  }
  return sum.profile(windowMs, true);
}

interface Row {
  readonly side: Side;
  readonly comm: string;
  readonly called: PeerInfo | null;
  readonly method: string;
  readonly uri: string;
  readonly metrics: RunningMetrics;
}

interface MergedRow {
  readonly row: Row;
  /** That of the one endpoint, until there is a second. */
  metrics: MetricSet;
  isSum: boolean;
}

function* rowsOf(edge: Edge, byHost: boolean): Iterable<Row> {
  const { side } = edge;
  const names = { side, comm: edge.process.comm, called: side === "client" ? edge.peer : null };
  if (byHost) {
    for (const [host, metrics] of edge.groups) yield { ...names, method: "", uri: host, metrics };
    return;
  }
  for (const endpoint of edge.allEndpoints()) {
    yield { ...names, method: endpoint.method, uri: endpoint.uri, metrics: endpoint };
  }
}

function merge(rows: Map<string, MergedRow>, row: Row, metrics: MetricSet): void {
  const key = endpointKey(row);
  const known = rows.get(key);
  if (known === undefined) {
    rows.set(key, { row, metrics, isSum: false });
    return;
  }
  if (!known.isSum) {
    const sum = new MetricSet();
    sum.add(known.metrics);
    known.metrics = sum;
    known.isSum = true;
  }
  known.metrics.add(metrics);
}
