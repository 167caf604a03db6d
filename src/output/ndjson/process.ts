import type { PeerInfo, Place, ProcessInfo } from "../../core/profile/parties.ts";

export function processFields({ pid, comm, ...place }: ProcessInfo) {
  return { pid, comm, ...placeFields(place) };
}

export function peerFields({ pid, comm, address, port, host, ...place }: PeerInfo) {
  return { pid, comm, address, port, ...(host === undefined ? {} : { host }), ...placeFields(place) };
}

export function placeFields({ container, unit }: Place) {
  return { ...(container && { container }), ...(unit === undefined ? {} : { unit }) };
}
