/** An edge as outputs see it: the sum of its endpoints, its groups, its connections. */
import type { Edge } from "./edge.ts";
import { MetricSet, perMinute } from "./metrics.ts";
import type { EdgeProfile, EndpointProfile, GroupProfile } from "./profile/edge.ts";
import type { Metrics, StatusCounts } from "./profile/figures.ts";
import type { PeerInfo } from "./profile/parties.ts";

export interface EdgeProfileOptions {
  /** Also group the exchanges by this. */
  readonly groupBy: "host" | "status" | null;
  readonly histograms: boolean;
  /** The name of an address, or null as long as none is known. */
  readonly hostOf: (address: string) => string | null;
}

type Scope = "window" | "total";

export function edgeProfile(edge: Edge, scope: Scope, windowMs: number, options: EdgeProfileOptions): EdgeProfile {
  const { histograms, groupBy, hostOf } = options;
  const sum = new MetricSet();
  const endpoints: EndpointProfile[] = [];
  for (const endpoint of edge.allEndpoints()) {
    const metrics = endpoint[scope];
    if (metrics.requests === 0) continue;
    sum.add(metrics);
    endpoints.push({ method: endpoint.method, uri: endpoint.uri, ...metrics.profile(windowMs, histograms) });
  }
  const { side, process, peer, protocol, inFlight } = edge;
  const metrics = sum.profile(windowMs, histograms);
  return {
    side,
    process,
    peer: withHost(peer, hostOf),
    protocol,
    ...metrics,
    inFlight,
    statusCpm: statusCpm(metrics, windowMs),
    ...ends(edge, scope, histograms),
    endpoints: byRequests(endpoints),
    ...(groupBy === null ? {} : { groups: groups(edge, scope, windowMs, histograms) }),
  };
}

function statusCpm({ statuses }: Metrics, windowMs: number): StatusCounts {
  return Object.fromEntries(Object.entries(statuses).map(([status, count]) => [status, perMinute(count, windowMs)]));
}

function withHost(peer: PeerInfo, hostOf: EdgeProfileOptions["hostOf"]): PeerInfo {
  const host = peer.pid === null ? hostOf(peer.address) : null;
  return host === null ? peer : { ...peer, host };
}

function ends(edge: Edge, scope: Scope, histograms: boolean): Pick<EdgeProfile, "tcp" | "bothSides"> {
  const bothSides = edge.bothSides[scope];
  return {
    ...(edge.isUnix ? {} : { tcp: edge.tcp[scope].profile(edge.openConnections, histograms) }),
    ...(bothSides.isEmpty ? {} : { bothSides: bothSides.profile(histograms) }),
  };
}

function groups(edge: Edge, scope: Scope, windowMs: number, histograms: boolean): GroupProfile[] {
  const profiles = [...edge.groups]
    .filter(([, group]) => group[scope].requests > 0)
    .map(([key, group]) => ({ key, ...group[scope].profile(windowMs, histograms) }));
  return byRequests(profiles);
}

function byRequests<T extends { readonly requests: number }>(rows: T[]): T[] {
  return rows.sort((a, b) => b.requests - a.requests);
}
