/** The first line: what is profiled, and what makes a sample. */
import type { SamplingRule, Start, Target } from "../../core/profile/start.ts";
import { escapeForCell } from "../escape.ts";
import { processLabel } from "./labels.ts";
import { flow, span } from "./layout.ts";
import type { Style } from "./style.ts";

export function startText({ l7prof, targets, rules }: Start, style: Style): string {
  const spans = [
    span(`l7prof ${l7prof}`, style.title),
    span(`profiles ${targets.map(targetText).join(", ") || "all that was recorded"}`),
    span(`samples ${rules.map(ruleText).join("; ")}`, style.dim),
  ];
  return `${flow(spans, style.columns, { next: "  " })}\n`;
}

export function targetText(target: Target): string {
  if ("pid" in target) return processLabel(target);
  if ("cgroup" in target) return `cgroup ${escapeForCell(target.cgroup)}`;
  if ("comm" in target) return `every process named ${escapeForCell(target.comm)}`;
  if ("container" in target) return `container ${escapeForCell(target.container)}`;
  if ("pod" in target) return `pod ${escapeForCell(target.pod)}`;
  if ("unit" in target) return `unit ${escapeForCell(target.unit)}`;
  if ("port" in target) return `only port ${target.port}`;
  return "the whole machine";
}

export function ruleText({ uriRegex, slowMs, on4xx, on5xx }: SamplingRule, index: number): string {
  const uris = uriRegex === null ? `${index === 0 ? "all" : "other"} URIs` : escapeForCell(uriRegex);
  const conditions = [
    ...(slowMs === null ? [] : [`≥${slowMs} ms`]),
    ...(on4xx ? ["4xx"] : []),
    ...(on5xx ? ["5xx"] : []),
  ];
  return `${uris}: ${conditions.join(", ") || "nothing"}`;
}
