/**
 * Edges and their endpoints: completed exchanges go in, profiles come out. An exchange is recorded once, at its
 * endpoint; an edge is the sum of its endpoints, added up when it is asked for.
 */
import type { Connection } from "./connection.ts";
import { type Edge, Endpoint } from "./edge.ts";
import { type EdgeProfileOptions, edgeProfile } from "./edge-profile.ts";
import { EdgeTable, type Names, OTHER } from "./edge-table.ts";
import type { Exchange } from "./exchange.ts";
import { RunningMetrics } from "./metrics.ts";
import { distributionsOf, endpointTotals, type Focus } from "./overview.ts";
import type { EdgeProfile, EndpointTotal } from "./profile/edge.ts";
import type { Metrics } from "./profile/figures.ts";

export interface AggregateOptions extends Names, EdgeProfileOptions {
  /** Past it, the rest of an edge goes to `(other)`. Counted over all edges. */
  readonly maxEndpoints: number;
}

const MAX_GROUPS = 1000;
const OTHER_TEMPLATE = -1;

export class Aggregate {
  private readonly options: AggregateOptions;
  private readonly edges: EdgeTable;
  private endpointCount = 0;

  constructor(options: AggregateOptions) {
    this.options = options;
    this.edges = new EdgeTable(options);
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
    const edge = this.edges.find(connection, pid);
    connection.edge = edge;
    return edge;
  }

  /** A client's attempt to connect came to nothing: it counts where those that work do, if there are any. */
  failedConnect(pid: number, address: string, port: number): void {
    this.edges.findByAddress(pid, address, port).tcp.window.failedConnects++;
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
      .map((edge) => edgeProfile(edge, scope, windowMs, this.options))
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

  private endpointOf(edge: Edge, exchange: Exchange): Endpoint {
    const { method, target } = exchange;
    const { latest } = edge;
    if (latest !== null && latest.templateId === target.templateId && latest.method === method) return latest;
    let ofMethod = edge.endpoints.get(method);
    if (ofMethod === undefined) {
      ofMethod = new Map();
      edge.endpoints.set(method, ofMethod);
    }
    edge.latest = ofMethod.get(target.templateId) ?? this.addEndpoint(edge, ofMethod, exchange);
    return edge.latest;
  }

  private addEndpoint(edge: Edge, ofMethod: Map<number, Endpoint>, exchange: Exchange): Endpoint {
    const { method, target } = exchange;
    if (this.endpointCount < this.options.maxEndpoints) {
      this.endpointCount++;
      const endpoint = new Endpoint(method, target.template, target.templateId);
      ofMethod.set(target.templateId, endpoint);
      return endpoint;
    }
    if (ofMethod.size === 0) edge.endpoints.delete(method);
    let others = edge.endpoints.get(OTHER);
    if (others === undefined) {
      others = new Map([[OTHER_TEMPLATE, new Endpoint("*", OTHER, OTHER_TEMPLATE)]]);
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
}
