import { expect } from "vitest";
import type { Summary } from "../../src/core/profile/window.ts";
import { nothingMissed } from "./l7prof.ts";

/** Each edge is HTTPS, and nothing was missed. */
export function expectHttps({ edges, capture, unreadableTls }: Summary): void {
  expect(new Set(edges.map(({ protocol }) => protocol))).toEqual(new Set(["https"]));
  expect(edges.map(({ peer }) => peer.address)).not.toContain("(unknown)");
  expect(capture).toMatchObject(nothingMissed);
  expect(unreadableTls).toBeUndefined();
}
