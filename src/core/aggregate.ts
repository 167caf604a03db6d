/**
 * Edges and their endpoints: completed exchanges go in, profiles come out. An exchange is recorded once, at its
 * endpoint; an edge is the sum of its endpoints, added up when it is asked for.
 */
import type { Connection } from "./connection.ts";
import { UNKNOWN } from "./connection-info.ts";
import { Edge, Endpoint } from "./edge.ts";
import type { Exchange } from "./exchange.ts";
import { MetricSet, perMinute, RunningMetrics } from "./metrics.ts";
import { distributionsOf, endpointTotals, type Focus } from "./overview.ts";
import type { EdgeProfile, EndpointProfile, EndpointTotal, GroupProfile } from "./profile/edge.ts";
import type { Metrics } from "./profile/figures.ts";
import type { PeerInfo, Place, ProcessInfo, Protocol, Side } from "./profile/parties.ts";

export interface AggregateOptions {
  /** Past it, the rest of an edge goes to `(other)`. Counted over all edges. */
  readonly maxEndpoints: number;
  /** Also group the exchanges by this. */
  readonly groupBy: "host" | "status" | null;
  readonly histograms: boolean;
  readonly commOf: (pid: number) => string;
  readonly placeOf: (pid: number) => Place;
  /** The name of an address, or null as long as none is known. */
  readonly hostOf: (address: string) => string | null;
}

export const OTHER = "(other)";

/** Clients of a public server have many addresses; past this many edges their rest is one. */
const MAX_EDGES = 1000;
/** A shell loop starts a process for each request: past this many of one name, the rest of them is one edge. */
const MAX_NAMESAKES = 16;
const MAX_GROUPS = 1000;

const OTHER_TEMPLATE = -1;
/** No process that calls has it. */
const OTHER_PID = 0;

export class Aggregate {
  private readonly options: AggregateOptions;
  private readonly edges = new Map<string, Edge>();
  /** Processes by what they share but for the PID. */
  private readonly namesakes = new Map<string, number>();
  private endpointCount = 0;

  constructor(options: AggregateOptions) {
    this.options = options;
  }

  /** Answers the edge that the exchange belongs to. */
  record(connection: Connection, exchange: Exchange): Edge {
    const edge = this.edgeOf(connection, exchange.pid);
    this.endpointOf(edge, exchange).window.record(exchange);
    if (this.options.groupBy !== null) this.groupOf(edge, exchange).window.record(exchange);
    return edge;
  }

  /** Remembered at the connection, until its process or its peer turns out to be another. */
  edgeOf(connection: Connection, pid: number): Edge {
    const known = connection.edge;
    if (known !== null && known.process.pid === pid) return known;
    const edge = this.findEdge(connection, pid);
    connection.edge = edge;
    return edge;
  }

  endWindow(): void {
    for (const metrics of this.all()) metrics.endWindow();
  }

  /** Totals begin anew, until `restore` makes them those of the whole run again. */
  reset(): void {
    for (const metrics of this.all()) metrics.reset();
  }

  restore(): void {
    for (const metrics of this.all()) metrics.restore();
  }

  /** Edges with something in them, most requests first. */
  profile(scope: "window" | "total", windowMs: number): EdgeProfile[] {
    return [...this.edges.values()]
      .map((edge) => this.edgeProfile(edge, scope, windowMs))
      .filter((edge) => edge.requests > 0 || edge.inFlight > 0 || (edge.tcp?.failedConnects ?? 0) > 0)
      .sort((a, b) => b.requests - a.requests);
  }

  /** The endpoints of all edges, or the hosts with `groupBy` host. */
  endpoints(scope: "window" | "total", windowMs: number): EndpointTotal[] {
    return endpointTotals(this.edges.values(), scope, windowMs, this.options.groupBy === "host");
  }

  distributions(focus: Focus, windowMs: number): Metrics {
    return distributionsOf(this.edges.values(), focus, windowMs, this.options.groupBy === "host");
  }

  private *all(): Iterable<Pick<RunningMetrics, "endWindow" | "reset" | "restore">> {
    for (const edge of this.edges.values()) {
      yield edge.tcp;
      yield edge.bothSides;
      yield* edge.allEndpoints();
      yield* edge.groups.values();
    }
  }

  private findEdge(connection: Connection, pid: number): Edge {
    const peer = this.peerOf(connection);
    const others = `${pid} ${connection.side} ${connection.info.protocol} ${peer.comm} ${peer.port} ${peer.address}`;
    const known = this.edges.get(`${peer.pid} ${others}`);
    if (known !== undefined) return known;
    const namesakes = this.namesakes.get(others) ?? 0;
    if (peer.pid !== null && namesakes >= MAX_NAMESAKES) peer.pid = null;
    const key = `${peer.pid} ${others}`;
    const edge = this.edges.get(key) ?? this.newEdge(key, connection, pid, peer);
    if (edge.peer.pid !== null) this.namesakes.set(others, namesakes + 1);
    return edge;
  }

  /** A client's attempt to connect came to nothing: it counts where those that work do, if there are any. */
  failedConnect(pid: number, address: string, port: number): void {
    const isIt = ({ side, process, peer }: Edge) =>
      side === "client" && process.pid === pid && peer.port === port && peer.address === address;
    const edge = [...this.edges.values()].find(isIt) ?? this.newClientEdge(pid, address, port);
    edge.tcp.window.failedConnects++;
  }

  private newClientEdge(pid: number, address: string, port: number): Edge {
    if (this.edges.size >= MAX_EDGES) return this.otherEdge("client", pid, "http");
    const peer = { pid: null, comm: null, address, port };
    return this.addEdge(`null ${pid} client http null ${port} ${address}`, "client", pid, peer, "http");
  }

  private newEdge(key: string, connection: Connection, pid: number, peer: PeerInfo): Edge {
    const { side, info } = connection;
    if (this.edges.size >= MAX_EDGES && peer.address !== OTHER) return this.otherEdge(side, pid, info.protocol);
    return this.addEdge(key, side, pid, peer, info.protocol);
  }

  private otherEdge(side: Side, pid: number, protocol: Protocol): Edge {
    const peer = { pid: null, comm: null, address: OTHER, port: null };
    const key = `${pid} ${side} ${protocol} ${OTHER}`;
    const known = this.edges.get(key);
    if (known !== undefined) return known;
    if (this.edges.size < 2 * MAX_EDGES) return this.addEdge(key, side, pid, peer, protocol);
    // Processes come and go without end, too.
    const last = `${side} ${protocol} ${OTHER}`;
    return this.edges.get(last) ?? this.addEdge(last, side, OTHER_PID, peer, protocol);
  }

  private addEdge(key: string, side: Side, pid: number, peer: PeerInfo, protocol: Protocol): Edge {
    const other = peer.pid === null ? peer : { ...peer, ...this.options.placeOf(peer.pid) };
    if (peer.pid === null && peer.address !== UNKNOWN) this.options.hostOf(peer.address); // it may take a while
    const edge = new Edge(side, this.processOf(pid), other, protocol);
    this.edges.set(key, edge);
    return edge;
  }

  private peerOf({ info, side, peer }: Connection): { -readonly [K in keyof PeerInfo]: PeerInfo[K] } {
    return {
      pid: peer?.pid ?? null,
      comm: peer?.comm ?? null,
      address: info.remoteAddress,
      port: side === "client" && info.isKnown && !info.isUnix ? info.remotePort : null,
    };
  }

  private endpointOf(edge: Edge, exchange: Exchange): Endpoint {
    const { method, target } = exchange;
    let ofMethod = edge.endpoints.get(method);
    if (ofMethod === undefined) {
      ofMethod = new Map();
      edge.endpoints.set(method, ofMethod);
    }
    return ofMethod.get(target.templateId) ?? this.addEndpoint(edge, ofMethod, exchange);
  }

  private addEndpoint(edge: Edge, ofMethod: Map<number, Endpoint>, exchange: Exchange): Endpoint {
    const { method, target } = exchange;
    if (this.endpointCount < this.options.maxEndpoints) {
      this.endpointCount++;
      const endpoint = new Endpoint(method, target.template);
      ofMethod.set(target.templateId, endpoint);
      return endpoint;
    }
    if (ofMethod.size === 0) edge.endpoints.delete(method);
    let others = edge.endpoints.get(OTHER);
    if (others === undefined) {
      others = new Map([[OTHER_TEMPLATE, new Endpoint("*", OTHER)]]);
      edge.endpoints.set(OTHER, others);
    }
    return others.get(OTHER_TEMPLATE)!;
  }

  private groupOf(edge: Edge, exchange: Exchange): RunningMetrics {
    const wanted = this.options.groupBy === "host" ? exchange.host || "(none)" : String(exchange.status);
    const key = edge.groups.size >= MAX_GROUPS && !edge.groups.has(wanted) ? OTHER : wanted;
    const known = edge.groups.get(key);
    if (known !== undefined) return known;
    const group = new RunningMetrics();
    edge.groups.set(key, group);
    return group;
  }

  private edgeProfile(edge: Edge, scope: "window" | "total", windowMs: number): EdgeProfile {
    const sum = new MetricSet();
    const endpoints: EndpointProfile[] = [];
    for (const endpoint of edge.allEndpoints()) {
      const metrics = endpoint[scope];
      if (metrics.requests === 0) continue;
      sum.add(metrics);
      endpoints.push({ method: endpoint.method, uri: endpoint.uri, ...this.metrics(metrics, windowMs) });
    }
    const { side, process, peer, protocol, inFlight } = edge;
    const metrics = this.metrics(sum, windowMs);
    const statusCpm = Object.fromEntries(
      Object.entries(metrics.statuses).map(([status, count]) => [status, perMinute(count, windowMs)]),
    );
    const profile = {
      side,
      process,
      peer: this.withHost(peer),
      protocol,
      ...metrics,
      inFlight,
      statusCpm,
      ...this.ends(edge, scope),
      endpoints: byRequests(endpoints),
    };
    return this.options.groupBy === null ? profile : { ...profile, groups: this.groups(edge, scope, windowMs) };
  }

  private processOf(pid: number): ProcessInfo {
    const { commOf, placeOf } = this.options;
    return pid === OTHER_PID ? { pid, comm: OTHER } : { pid, comm: commOf(pid), ...placeOf(pid) };
  }

  private withHost(peer: PeerInfo): PeerInfo {
    const host = peer.pid === null ? this.options.hostOf(peer.address) : null;
    return host === null ? peer : { ...peer, host };
  }

  private ends(edge: Edge, scope: "window" | "total"): Pick<EdgeProfile, "tcp" | "bothSides"> {
    const { histograms } = this.options;
    const bothSides = edge.bothSides[scope];
    return {
      ...(edge.isUnix ? {} : { tcp: edge.tcp[scope].profile(edge.openConnections, histograms) }),
      ...(bothSides.isEmpty ? {} : { bothSides: bothSides.profile(histograms) }),
    };
  }

  private groups(edge: Edge, scope: "window" | "total", windowMs: number): GroupProfile[] {
    const groups = [...edge.groups]
      .filter(([, group]) => group[scope].requests > 0)
      .map(([key, group]) => ({ key, ...this.metrics(group[scope], windowMs) }));
    return byRequests(groups);
  }

  private metrics(metrics: MetricSet, windowMs: number) {
    return metrics.profile(windowMs, this.options.histograms);
  }
}

function byRequests<T extends { readonly requests: number }>(rows: T[]): T[] {
  return rows.sort((a, b) => b.requests - a.requests);
}
