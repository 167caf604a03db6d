import type { Instant } from "../core/profile/instant.ts";

const LAST_US = Date.parse("9999-12-31T23:59:59.999Z") * 1000;

/**
 * Epoch microseconds as RFC 3339 in UTC with six decimals. A time that RFC 3339 can't write, which only a
 * broken recording has, becomes the nearest that it can.
 */
export function rfc3339(timeUs: number): string {
  const us = Math.min(Math.max(Math.round(timeUs) || 0, 0), LAST_US);
  const toTheMs = new Date(Math.floor(us / 1000)).toISOString().slice(0, -1);
  return `${toTheMs}${String(us % 1000).padStart(3, "0")}Z`;
}

/** From the epoch. */
export function microsecondsOf({ seconds, nanos }: Instant): number {
  return seconds * 1e6 + Math.round(nanos / 1000);
}
