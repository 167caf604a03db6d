/** What l7prof takes of a core now, and the screen's part of it. */
import type { OwnCost } from "./warning-lines.ts";

/** Over at least this long, so that the figures stand still enough to be read. */
const SPAN_MS = 5000;

interface Mark {
  readonly atMs: number;
  readonly allUs: number;
  readonly screenUs: number;
}

export class CostMeter {
  private screenUs = 0;
  private isMeasuring = false;
  /** Between which the shares are: the older one, and the one that takes its place. */
  private from: Mark = this.mark();
  private next: Mark = this.from;

  /** Does it, on the account of the screen. What other threads do meanwhile (V8's collector) is counted in. */
  of<T>(step: () => T): T {
    if (this.isMeasuring) return step();
    this.isMeasuring = true;
    const before = process.cpuUsage();
    try {
      return step();
    } finally {
      this.isMeasuring = false;
      this.screenUs += microseconds(process.cpuUsage(before));
    }
  }

  /** Over the last five to ten seconds. */
  shares(): OwnCost {
    const now = this.mark();
    if (now.atMs - this.next.atMs >= SPAN_MS) {
      this.from = this.next;
      this.next = now;
    }
    const elapsedUs = Math.max(1, now.atMs - this.from.atMs) * 1000;
    return {
      all: (now.allUs - this.from.allUs) / elapsedUs,
      screen: (now.screenUs - this.from.screenUs) / elapsedUs,
    };
  }

  private mark(): Mark {
    return { atMs: performance.now(), allUs: microseconds(process.cpuUsage()), screenUs: this.screenUs };
  }
}

function microseconds({ user, system }: NodeJS.CpuUsage): number {
  return user + system;
}
