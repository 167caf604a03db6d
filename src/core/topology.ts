/**
 * Who calls whom: the edges as a graph. What both processes were seen in is two edges, one from each side, and one
 * link here.
 */
import type { BothSidesProfile, EdgeProfile } from "./profile/edge.ts";
import type { Distribution } from "./profile/figures.ts";
import type { Place, Protocol, Side } from "./profile/parties.ts";

/** A process, or an address where nobody knows whose it is. */
export interface TopologyNode extends Place {
  /** Null: another machine's, or several processes of one name. */
  readonly pid: number | null;
  readonly comm: string | null;
  /** Or its name; null if the process is known. */
  readonly address: string | null;
  readonly port: number | null;
}

export interface TopologyLink {
  readonly caller: TopologyNode;
  readonly called: TopologyNode;
  readonly protocol: Protocol;
  /** The sides that it was seen from. */
  readonly sides: readonly Side[];
  readonly requests: number;
  readonly cpm: number;
  /** Responses of 400 and more. */
  readonly errors: number;
  /** As the caller saw it, if it was seen from there. */
  readonly durationMs: Distribution;
  readonly bothSides?: BothSidesProfile;
}

/** Most requests first. */
export function topologyOf(edges: readonly EdgeProfile[]): TopologyLink[] {
  const links = new Map<string, TopologyLink>();
  // The client's edges first: they know the port, and their durations are the longer ones.
  for (const edge of edges.toSorted((a, b) => a.side.localeCompare(b.side))) {
    if (edge.requests === 0) continue;
    const link = linkOf(edge);
    const key = `${nodeKey(link.caller)} → ${nodeKey(link.called)}`;
    const known = links.get(key);
    links.set(key, known === undefined ? link : merged(known, link));
  }
  return [...links.values()].sort((a, b) => b.requests - a.requests);
}

/** The same for the same node. */
export function nodeKey({ pid, comm, address, port }: TopologyNode): string {
  return pid === null ? `${comm} ${address} ${port}` : String(pid);
}

function linkOf(edge: EdgeProfile): TopologyLink {
  const { side, process, peer, protocol, requests, cpm, statuses, durationMs, bothSides } = edge;
  const self = { ...process, ...NOWHERE };
  const isKnown = peer.pid !== null;
  const { address, port, host, ...peerProcess } = peer;
  const other = { ...peerProcess, ...(isKnown ? NOWHERE : { address: host ?? address, port }) };
  const [caller, called] = side === "client" ? [self, other] : [other, self];
  const link = { caller, called, protocol, sides: [side], requests, cpm, errors: errorsOf(statuses), durationMs };
  return bothSides === undefined ? link : { ...link, bothSides };
}

const NOWHERE = { address: null, port: null };

/** The other side of the same calls, or other calls between the two, as over another port. */
function merged(known: TopologyLink, link: TopologyLink): TopologyLink {
  const [side] = link.sides as [Side];
  if (!known.sides.includes(side)) return { ...known, ...most(known, link), sides: [...known.sides, side] };
  if (known.sides.length > 1) return known; // counted from the client's side already
  return {
    ...known,
    requests: known.requests + link.requests,
    cpm: known.cpm + link.cpm,
    errors: known.errors + link.errors,
    durationMs: known.requests >= link.requests ? known.durationMs : link.durationMs,
  };
}

/** One side may have been seen for longer than the other. */
function most(a: TopologyLink, b: TopologyLink): Pick<TopologyLink, "requests" | "cpm" | "errors"> {
  const { requests, cpm, errors } = a.requests >= b.requests ? a : b;
  return { requests, cpm, errors };
}

function errorsOf(statuses: EdgeProfile["statuses"]): number {
  return Object.entries(statuses).reduce((sum, [status, count]) => sum + (Number(status) >= 400 ? count : 0), 0);
}
