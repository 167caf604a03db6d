/**
 * The edges, by who calls whom: found again or made, and bounded. Past the bounds they are merged, by name, by process
 * and at last all of them.
 */
import type { Connection } from "./connection.ts";
import { UNKNOWN } from "./connection-info.ts";
import { Edge } from "./edge.ts";
import type { PeerInfo, Place, ProcessInfo, Protocol, Side } from "./profile/parties.ts";

export interface Names {
  readonly commOf: (pid: number) => string;
  readonly placeOf: (pid: number) => Place;
  /** The name of an address, or null as long as none is known. */
  readonly hostOf: (address: string) => string | null;
}

export const OTHER = "(other)";
/** No process that calls has it. */
const OTHER_PID = 0;

/** Clients of a public server have many addresses; past this many edges their rest is one. */
const MAX_EDGES = 1000;
/** A shell loop starts a process for each request: past this many of one name, the rest of them is one edge. */
const MAX_NAMESAKES = 16;

export class EdgeTable {
  private readonly names: Names;
  private readonly edges = new Map<string, Edge>();
  /** Processes by what they share but for the PID. */
  private readonly namesakes = new Map<string, number>();

  constructor(names: Names) {
    this.names = names;
  }

  values(): Iterable<Edge> {
    return this.edges.values();
  }

  /** Of a connection that `pid` uses. */
  find(connection: Connection, pid: number): Edge {
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

  /** To where a client has tried to connect. */
  findByAddress(pid: number, address: string, port: number): Edge {
    const isIt = ({ side, process, peer }: Edge) =>
      side === "client" && process.pid === pid && peer.port === port && peer.address === address;
    return [...this.edges.values()].find(isIt) ?? this.newClientEdge(pid, address, port);
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
    const other = peer.pid === null ? peer : { ...peer, ...this.names.placeOf(peer.pid) };
    if (peer.pid === null && peer.address !== UNKNOWN) this.names.hostOf(peer.address); // it may take a while
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

  private processOf(pid: number): ProcessInfo {
    const { commOf, placeOf } = this.names;
    return pid === OTHER_PID ? { pid, comm: OTHER } : { pid, comm: commOf(pid), ...placeOf(pid) };
  }
}
