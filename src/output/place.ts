/** Where a process runs, in a word: the pod, or the container, or the unit. */
import type { Place } from "../core/profile/parties.ts";
import { escapeForCell } from "./escape.ts";

const SHORT_ID = 12;

export function placeText({ container, unit }: Place): string | null {
  const { pod } = container ?? {};
  if (pod?.name && pod.namespace) return escapeForCell(`${pod.namespace}/${pod.name}`);
  if (container) return escapeForCell(container.name ?? container.id.slice(0, SHORT_ID));
  return unit === undefined ? null : escapeForCell(unit);
}
