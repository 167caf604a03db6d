/**
 * What becomes of the exchanges of all connections: in flight, counted at their edge and endpoint, considered as samples,
 * and met with the other end's view of them.
 */
import type { Aggregate } from "./aggregate.ts";
import type { Joint } from "./both-sides.ts";
import type { CaptureCounters } from "./capture.ts";
import type { Connection, ConnectionContext } from "./connection.ts";
import { MAX_CONNECTIONS } from "./connections.ts";
import type { Edge } from "./edge.ts";
import type { Exchange } from "./exchange.ts";
import type { Sample } from "./profile/sample.ts";
import type { SamplingRule } from "./profile/start.ts";
import type { Sampler } from "./sampler.ts";
import { TargetTable } from "./target.ts";

export interface ExchangeOptions {
  readonly rules: readonly SamplingRule[];
  readonly matchRule: (path: string) => number;
  readonly route: (path: string) => string;
  readonly groupBy: "host" | "status" | null;
  readonly startNs: number;
}

export interface ExchangeEvents {
  onSample(sample: Sample): void;
  /** Both are valid during the call alone. */
  onExchange?: ((edge: Edge, exchange: Exchange) => void) | undefined;
}

/** Trace contexts often stand behind long cookies. */
const MIN_REQUEST_BYTES = 8192;
/** Requests that wait, of all connections: as many as there are connections, or pipelines of some of them. */
const MAX_WAITING = MAX_CONNECTIONS;
/** Calls of two processes come within moments of each other; a sample waits no longer for its other side. */
const MAX_APART_NS = 1e9;

export class Exchanges {
  /** What each connection tells its exchanges to. */
  readonly context: ConnectionContext;
  private readonly events: ExchangeEvents;
  private readonly aggregate: Aggregate;
  private readonly sampler: Sampler;
  /** Requests that wait for their response. */
  private waiting = 0;
  /** Those that may hold samples back. */
  private readonly joints = new Set<Joint>();

  constructor(
    options: ExchangeOptions,
    events: ExchangeEvents,
    counters: CaptureCounters,
    aggregate: Aggregate,
    sampler: Sampler,
  ) {
    this.events = events;
    this.aggregate = aggregate;
    this.sampler = sampler;
    this.context = this.createContext(options, counters);
  }

  /** The memory of the records read so far goes. */
  releaseRecords(): void {
    for (const message of this.context.unsettled) message.settle();
    this.context.unsettled.length = 0;
  }

  /** Lets go of what waited too long. */
  tick(nowNs: number): void {
    for (const connection of this.context.onTrial) connection.settleTrial(nowNs);
    this.releaseSamples(nowNs - MAX_APART_NS);
  }

  /** Samples of exchanges that ended before then wait no longer for their other side. */
  releaseSamples(beforeNs: number): void {
    for (const joint of this.joints) {
      joint.release(beforeNs);
      if (!joint.holdsSamples) this.joints.delete(joint);
    }
  }

  /** No more will come: pairs that are not sure yet count. */
  finish(): void {
    for (const connection of this.context.onTrial) connection.endTrial();
  }

  private createContext(options: ExchangeOptions, counters: CaptureCounters): ConnectionContext {
    const { rules, matchRule, route, groupBy, startNs } = options;
    const keeps = (part: "request" | "response") => rules.filter(({ keep }) => keep === part || keep === "both");
    // A request is kept even for rules that keep none of it: its URI and trace context are part of a sample.
    const requestLimit = Math.max(MIN_REQUEST_BYTES, ...keeps("request").map((rule) => rule.maxRequestBytes));
    const responseLimit = Math.max(256, ...keeps("response").map((rule) => rule.maxResponseBytes));
    return {
      counters,
      targets: new TargetTable({ route, rule: matchRule }),
      maxRequestBytes: requestLimit,
      maxResponseBytes: responseLimit,
      wantsHost: groupBy === "host",
      unsettled: [],
      watchedSinceNs: startNs,
      onTrial: new Set(),
      onRequest: (connection, exchange) => this.requestSeen(connection, exchange),
      onExchange: (connection, exchange) => this.exchangeDone(connection, exchange),
      onAbandoned: (_connection, exchange) => this.leaveEdge(exchange),
    };
  }

  private meet(joint: Joint, edge: Edge, exchange: Exchange, isShown: boolean): void {
    joint.meet(exchange, edge, this.sampler.built, isShown);
    if (isShown) this.joints.add(joint);
  }

  private requestSeen(connection: Connection, exchange: Exchange): void {
    const edge = this.aggregate.edgeOf(connection, exchange.pid);
    exchange.edge = edge;
    edge.inFlight++;
    if (++this.waiting > MAX_WAITING) connection.letGo();
  }

  private exchangeDone(connection: Connection, exchange: Exchange): void {
    this.leaveEdge(exchange);
    const edge = this.aggregate.record(connection, exchange);
    connection.traffic.settle(edge);
    this.events.onExchange?.(edge, exchange);
    const sample = this.sampler.consider(edge, exchange, connection);
    const { joint } = connection;
    if (joint !== null) this.meet(joint, edge, exchange, sample !== undefined);
    else if (sample !== undefined) this.events.onSample(sample);
  }

  private leaveEdge(exchange: Exchange): void {
    if (exchange.edge === null) return;
    exchange.edge.inFlight--;
    exchange.edge = null;
    this.waiting--;
  }
}
