/** When something was, by how the clocks stood at the start of the run: CLOCK_MONOTONIC → time since the epoch. */
import type { Instant } from "./core/profile/instant.ts";

const NS_PER_US = 1e3;

export class Clock {
  private readonly startNs: number;
  private readonly startUs: number;

  constructor({ startNs, startUs }: { readonly startNs: number; readonly startUs: number }) {
    this.startNs = startNs;
    this.startUs = startUs;
  }

  epochUs(ns: number): number {
    return Math.round(this.startUs + (ns - this.startNs) / NS_PER_US);
  }

  instant(ns: number): Instant {
    const pastSecondNs = (this.startUs % 1e6) * NS_PER_US + (ns - this.startNs);
    const seconds = Math.floor(pastSecondNs / 1e9);
    return { seconds: Math.floor(this.startUs / 1e6) + seconds, nanos: Math.round(pastSecondNs - seconds * 1e9) };
  }
}
