/** What a table is about, in words for its title. */
import { edgeKey } from "../../core/overview.ts";
import { escapeForCell } from "../../output/escape.ts";
import { edgeLabel } from "../../output/text/labels.ts";
import { formatDuration } from "../../output/units.ts";
import { windowOf } from "../rows.ts";
import type { RunData } from "../run-data.ts";
import type { Segment } from "../segments.ts";
import type { State } from "../state.ts";
import type { Theme } from "../theme.ts";
import { elapsed } from "./header.tsx";

export function scopeSegments(data: RunData, state: State, theme: Theme): Segment[] {
  const length = windowOf(data, state)?.windowMs ?? 0;
  const scope = state.scope === "total" ? sinceText(data) : `the last ${formatDuration(length, 2)}`;
  return [{ text: scope, paint: theme.dim, drop: 2 }, ...filterSegments(state, theme)];
}

/** `since the start, 0:01:23` */
export function sinceText({ start, total }: RunData): string {
  if (start === null || total === null) return "";
  const fromMs = total.timeUs / 1000 - total.windowMs;
  const isReset = fromMs - start.timeUs / 1000 > 1;
  return `since the ${isReset ? "reset" : "start"}, ${elapsed(total.windowMs)}`;
}

export function filterSegments({ filter }: State, theme: Theme): Segment[] {
  return filter === "" ? [] : [{ text: `filter: ${escapeForCell(filter)}`, paint: theme.notice, drop: 1 }];
}

/** `wrk[77] → nginx[1234]`, if it is still there. */
export function edgeName({ total, window }: RunData, key: string): string {
  const edge = [...(total?.edges ?? []), ...(window?.edges ?? [])].find((each) => edgeKey(each) === key);
  return edge === undefined ? "an edge" : edgeLabel(edge, 50);
}
