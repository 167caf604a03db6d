/** Who called whom, seen from one side, and what was asked there. */
import { BothSidesSet } from "./both-sides-set.ts";
import { RunningMetrics } from "./metrics.ts";
import type { PeerInfo, ProcessInfo, Protocol, Side } from "./profile/parties.ts";
import { Running } from "./running.ts";
import { TcpSet } from "./tcp.ts";

export class Edge {
  readonly side: Side;
  readonly process: ProcessInfo;
  readonly peer: PeerInfo;
  readonly protocol: Protocol;
  /** Requests that wait for their response now. */
  inFlight = 0;
  /** Connections that are open now. */
  openConnections = 0;
  readonly tcp = new Running(() => new TcpSet());
  /** Of the exchanges that both sides saw. */
  readonly bothSides = new Running(() => new BothSidesSet());
  /** By method, then by the number of the template. */
  readonly endpoints = new Map<string, Map<number, Endpoint>>();
  /** The endpoint of the last exchange: often that of the next one, too. */
  latest: Endpoint | null = null;
  /** By host or status, if asked for. */
  readonly groups = new Map<string, RunningMetrics>();

  constructor(side: Side, process: ProcessInfo, peer: PeerInfo, protocol: Protocol) {
    this.protocol = protocol;
    this.side = side;
    this.process = process;
    this.peer = peer;
  }

  /** No TCP: a unix socket. */
  get isUnix(): boolean {
    return this.peer.address.startsWith("unix:");
  }

  *allEndpoints(): Iterable<Endpoint> {
    for (const ofMethod of this.endpoints.values()) yield* ofMethod.values();
  }
}

export class Endpoint extends RunningMetrics {
  readonly method: string;
  readonly uri: string;
  /** Number of the template that `uri` is. */
  readonly templateId: number;

  constructor(method: string, uri: string, templateId: number) {
    super();
    this.method = method;
    this.uri = uri;
    this.templateId = templateId;
  }
}
