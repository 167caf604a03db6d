/** Who called whom, seen from one side, and what was asked there. */
import { RunningMetrics } from "./metrics.ts";
import type { PeerInfo, ProcessInfo, Protocol, Side } from "./profile.ts";

export class Edge {
  readonly side: Side;
  readonly process: ProcessInfo;
  readonly peer: PeerInfo;
  readonly protocol: Protocol = "http";
  /** Requests that wait for their response now. */
  inFlight = 0;
  /** By method, then by the number of the template. */
  readonly endpoints = new Map<string, Map<number, Endpoint>>();
  /** By host or status, if asked for. */
  readonly groups = new Map<string, RunningMetrics>();

  constructor(side: Side, process: ProcessInfo, peer: PeerInfo) {
    this.side = side;
    this.process = process;
    this.peer = peer;
  }

  *allEndpoints(): Iterable<Endpoint> {
    for (const ofMethod of this.endpoints.values()) yield* ofMethod.values();
  }
}

export class Endpoint extends RunningMetrics {
  readonly method: string;
  readonly uri: string;

  constructor(method: string, uri: string) {
    super();
    this.method = method;
    this.uri = uri;
  }
}
