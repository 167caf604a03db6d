import { rfc3339 } from "../rfc3339.ts";

/** `10:00:01.500Z`: what is on a screen is read on its day, and the NDJSON has the date. */
export function clock(timeUs: number, precision: "s" | "ms" = "ms"): string {
  return `${rfc3339(timeUs).slice("2000-01-01T".length, precision === "s" ? -8 : -4)}Z`;
}
