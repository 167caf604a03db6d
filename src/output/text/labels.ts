/** Who talks to whom: the caller is always on the left. */
import type { PeerInfo, ProcessInfo, Protocol, Side } from "../../core/profile/parties.ts";
import { escapeForCell } from "../escape.ts";
import { placeText } from "../place.ts";
import { cutMiddle, type Span, span } from "./layout.ts";
import type { Style } from "./style.ts";

export interface Ends {
  readonly side: Side;
  readonly process: ProcessInfo;
  readonly peer: PeerInfo;
  readonly protocol: Protocol;
}

/** `wrk[77] (127.0.0.1) → nginx[1234]` with the profiled process in bold, then what it was: `http server`. */
export function edgeSpans({ side, process, peer, protocol }: Ends, style: Style): Span[] {
  const profiled = processLabel(process);
  const other = peer.comm === null ? addressLabel(peer) : `${peerName(peer)} (${addressLabel(peer)})`;
  const paint = (text: string) => text.replace(profiled, (label) => style.strong(label));
  const place = placeText(process);
  return [
    span(arrow(side, profiled, other, style.columns), paint),
    span(`${protocol} ${side}`, style.dim),
    ...(place === null ? [] : [span(`in ${place}`, style.dim)]),
  ];
}

/** `wrk[77] → nginx[1234]`, short enough for a table. */
export function edgeLabel({ side, process, peer }: Ends, width = Number.POSITIVE_INFINITY): string {
  return arrow(side, processLabel(process), peer.comm === null ? addressLabel(peer) : peerName(peer), width);
}

/** Of two ends that are too long together, the longer is cut first. */
function arrow(side: Side, profiled: string, other: string, width: number): string {
  const [caller, called] = side === "server" ? [other, profiled] : [profiled, other];
  const room = width - " → ".length;
  const callerWidth = Math.min(caller.length, Math.max(room - called.length, Math.floor(room / 2)));
  return `${cutMiddle(caller, callerWidth)} → ${cutMiddle(called, room - callerWidth)}`;
}

export function processLabel({ pid, comm }: ProcessInfo): string {
  return `${escapeForCell(comm)}[${pid}]`;
}

function peerName({ pid, comm }: PeerInfo): string {
  return `${escapeForCell(comm ?? "")}${pid === null ? "" : `[${pid}]`}`;
}

export function addressLabel({ address, port, host: name }: PeerInfo): string {
  const host = escapeForCell(name ?? address);
  if (port === null) return host;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
