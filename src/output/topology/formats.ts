/** The graph of a run, when it has ended: as lines, for Graphviz, and for Mermaid. */
import type { Summary } from "../../core/profile/window.ts";
import { nodeKey, type TopologyLink, topologyOf } from "../../core/topology.ts";
import { escapeForTerminal } from "../escape.ts";
import type { OutputFactory } from "../output.ts";
import { linkFacts, nodeLabel, nodeNames } from "./labels.ts";

/** Nothing but the summary is shown. */
const graph =
  (render: (links: readonly TopologyLink[]) => string): OutputFactory =>
  () => ({
    hasWarnings: false,
    start: () => "",
    metrics: () => "",
    sample: () => "",
    warning: ({ message }) => `warning: ${escapeForTerminal(message)}\n`,
    summary: ({ edges }: Summary) => render(topologyOf(edges)),
  });

/** `wrk[77] → nginx[1234]  10,007 requests  p95 2.1ms`, most requests first. */
export const topology = graph((links) => {
  if (links.length === 0) return "no exchanges\n";
  const calls = links.map(({ caller, called }) => `${nodeLabel(caller)} → ${nodeLabel(called)}`);
  const width = Math.max(...calls.map(({ length }) => length));
  return links.map((link, i) => `${calls[i]!.padEnd(width)}  ${linkFacts(link).join("  ")}\n`).join("");
});

/** The DOT language: https://graphviz.org/doc/info/lang.html */
export const dot = graph((links) => {
  const names = nodeNames(links);
  const nodes = [...names.values()].map(({ name, node }) => `  ${name} [label=${quoted(nodeLabel(node))}];\n`);
  const edges = links.map(({ caller, called, ...link }) => {
    const ends = `${names.get(nodeKey(caller))!.name} -> ${names.get(nodeKey(called))!.name}`;
    return `  ${ends} [label=${quoted(linkFacts({ caller, called, ...link }).join("\n"))}];\n`;
  });
  return `digraph l7prof {\n  rankdir=LR;\n  node [shape=box];\n${nodes.join("")}${edges.join("")}}\n`;
});

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}

/** https://mermaid.js.org/syntax/flowchart.html: in quotes, what it would read as markup is an entity code. */
export const mermaid = graph((links) => {
  const names = nodeNames(links);
  const nodes = [...names.values()].map(({ name, node }) => `  ${name}["${entities(nodeLabel(node))}"]\n`);
  const edges = links.map((link) => {
    const [from, to] = [link.caller, link.called].map((node) => names.get(nodeKey(node))!.name);
    return `  ${from} -->|"${linkFacts(link).map(entities).join("<br>")}"| ${to}\n`;
  });
  return `flowchart LR\n${nodes.join("")}${edges.join("")}`;
});

function entities(text: string): string {
  return text.replace(/["#<>&`\\]/g, (character) => `#${character.charCodeAt(0)};`);
}
