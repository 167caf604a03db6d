import type { TopologyLink, TopologyNode } from "../../core/topology.ts";
import { distribution } from "./edge.ts";
import { placeFields } from "./process.ts";
import { round } from "./round.ts";

/** A link of the graph. */
export function linkFields({ caller, called, protocol, sides, requests, cpm, errors, durationMs }: TopologyLink) {
  return {
    caller: nodeFields(caller),
    called: nodeFields(called),
    protocol,
    sides,
    requests,
    cpm: round(cpm),
    errors,
    durationMs: distribution(durationMs),
  };
}

function nodeFields({ pid, comm, address, port, ...place }: TopologyNode) {
  return { pid, comm, address, port, ...placeFields(place) };
}
