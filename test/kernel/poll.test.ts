import { describe, expect, it } from "vitest";
import { nextPollMs } from "../../src/kernel/pace.ts";

const ring = 16 << 20;

describe("how long l7prof waits between two looks at the ring", () => {
  it("grows up to 10 ms while little comes", () => {
    const waits = [2];
    for (let i = 0; i < 4; i++) waits.push(nextPollMs(waits.at(-1)!, 1000, ring));
    expect(waits).toEqual([2, 4, 8, 10, 10]);
  });

  it("is so short that a 32nd of the ring fills at the rate seen", () => {
    expect(nextPollMs(10, ring / 32, ring)).toBe(10);
    expect(nextPollMs(8, ring / 16, ring)).toBe(4);
  });

  it("is never shorter than 2 ms", () => {
    expect(nextPollMs(20, ring, ring)).toBe(2);
  });
});
