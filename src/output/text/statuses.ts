/** Status codes with their counts: `200 ×4,950  404 ×50 (1.0 %)`, the share for errors only. */
import type { Metrics, StatusCounts } from "../../core/profile/figures.ts";
import { escapeForCell } from "../escape.ts";
import { formatCount, formatPercent } from "../units.ts";
import { type Span, span } from "./layout.ts";
import type { Style } from "./style.ts";

export function statusSpans({ statuses, requests }: Metrics, style: Style): Span[] {
  return Object.entries(statuses).map(([status, count]) => {
    const share = isError(status) ? ` (${formatPercent(count / requests)} %)` : "";
    return span(`${escapeForCell(status)} ×${formatCount(count)}${share}`, style.status(status));
  });
}

/** For a table: most first, as many as fit; half a count would be a wrong one. */
export function statusText(statuses: StatusCounts, width: number): string {
  const mostFirst = Object.entries(statuses).toSorted(([, a], [, b]) => b - a);
  let text = "";
  for (const [index, [status, count]] of mostFirst.entries()) {
    const longer = `${text}${index === 0 ? "" : " "}${escapeForCell(status)}×${formatCount(count)}`;
    const isLast = index === mostFirst.length - 1;
    if (longer.length + (isLast ? 0 : ELLIPSIS.length) > width) return text + ELLIPSIS;
    text = longer;
  }
  return text;
}

const ELLIPSIS = " …";

export function errorShare({ statuses, requests }: Metrics): number {
  return requests === 0 ? 0 : countOf(statuses, isError) / requests;
}

/** The worst class of status that there was. */
export function worstStatus(statuses: StatusCounts): string {
  return Object.keys(statuses).reduce((worst, status) => (status.charAt(0) > worst.charAt(0) ? status : worst), "");
}

function countOf(statuses: StatusCounts, isCounted: (status: string) => boolean): number {
  return Object.entries(statuses).reduce((sum, [status, count]) => (isCounted(status) ? sum + count : sum), 0);
}

function isError(status: string): boolean {
  return status.startsWith("4") || status.startsWith("5");
}
