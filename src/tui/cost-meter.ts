/** What l7prof takes of a core, and the screen's part of it. */
import type { OwnCost } from "./warning-lines.ts";

export class CostMeter {
  private readonly startMs = performance.now();
  private readonly before = process.cpuUsage();
  private screenUs = 0;
  private depth = 0;

  /** Does it, on the account of the screen. What other threads do meanwhile (V8's collector) is counted in. */
  of<T>(step: () => T): T {
    const before = this.depth === 0 ? process.cpuUsage() : null;
    this.depth++;
    try {
      return step();
    } finally {
      this.depth--;
      if (before !== null) this.screenUs += microseconds(process.cpuUsage(before));
    }
  }

  /** Since the screen is there. */
  shares(): OwnCost {
    const elapsedUs = (performance.now() - this.startMs) * 1000;
    return { all: microseconds(process.cpuUsage(this.before)) / elapsedUs, screen: this.screenUs / elapsedUs };
  }
}

function microseconds({ user, system }: NodeJS.CpuUsage): number {
  return user + system;
}
