/** The words of a graph: for a node, and for a link. */
import { nodeKey, type TopologyLink, type TopologyNode } from "../../core/topology.ts";
import { escapeForCell } from "../escape.ts";
import { placeText } from "../place.ts";
import { formatCounted, formatDuration, formatPercent } from "../units.ts";

/** `nginx[1234]`, `nginx[1234] in shop/web-0`, `10.0.0.7:5432`, `curl (10.0.0.7)`. */
export function nodeLabel({ pid, comm, address, port, ...place }: TopologyNode): string {
  const name = escapeForCell(comm ?? "");
  const where = placeText(place);
  if (pid !== null) return `${name}[${pid}]${where === null ? "" : ` in ${where}`}`;
  const host = escapeForCell(address ?? "");
  const end = port === null ? host : `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return name === "" ? end : `${name} (${end})`;
}

/** `1,234 requests`, `p95 2.1ms`, and what there is of errors and time on the way. */
export function linkFacts({ requests, errors, durationMs, bothSides }: TopologyLink): string[] {
  return [
    formatCounted(requests, "request"),
    `p95 ${formatDuration(durationMs.p95, 2)}`,
    ...(bothSides ? [`on the way p95 ${formatDuration(bothSides.transitMs.p95, 2)}`] : []),
    ...(errors > 0 ? [`${formatPercent(errors / requests)} % errors`] : []),
  ];
}

/** Names for the nodes, `n1` the first that is met. */
export function nodeNames(links: readonly TopologyLink[]): Map<string, { name: string; node: TopologyNode }> {
  const names = new Map<string, { name: string; node: TopologyNode }>();
  for (const node of links.flatMap(({ caller, called }) => [caller, called])) {
    if (!names.has(nodeKey(node))) names.set(nodeKey(node), { name: `n${names.size + 1}`, node });
  }
  return names;
}
