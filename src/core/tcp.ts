/** What TCP went through on the connections of an edge: in numbers of the kernel's own, and counted calls. */
import { Histogram } from "./histogram.ts";
import type { TcpProfile } from "./profile/edge.ts";
import type { Summable } from "./running.ts";

const NS_PER_MS = 1e6;
const US_PER_MS = 1e3;

const COUNTS = [
  "readBytes",
  "readCalls",
  "writtenBytes",
  "writeCalls",
  "connects",
  "accepts",
  "closes",
  "resets",
  "aborts",
  "timeouts",
  "failedConnects",
  "retransmits",
] as const;

/** Of one edge; past them the rest is one. The kernel has about a hundred. */
const MAX_REASONS = 64;
export const OTHER_DROPS = "(other)";

export class TcpSet implements Summable<TcpSet> {
  readBytes = 0;
  /** Calls that moved bytes. */
  readCalls = 0;
  writtenBytes = 0;
  writeCalls = 0;
  /** Connections that were opened. */
  connects = 0;
  accepts = 0;
  /** Those that ended, in whatever way; of them … */
  closes = 0;
  /** … by a reset of the peer, */
  resets = 0;
  /** by a reset of this side, */
  aborts = 0;
  /** because the peer did not answer any more. */
  timeouts = 0;
  failedConnects = 0;
  /** Segments sent again. */
  retransmits = 0;
  readonly connectNs = new Histogram();
  readonly srttUs = new Histogram();
  readonly rttvarUs = new Histogram();
  /** What the calls took, if they were timed. */
  readonly readNs = new Histogram();
  readonly writeNs = new Histogram();
  /** Packets that the kernel dropped, by reason. */
  private readonly drops = new Map<string, number>();

  private get histograms(): readonly Histogram[] {
    return [this.connectNs, this.srttUs, this.rttvarUs, this.readNs, this.writeNs];
  }

  get isEmpty(): boolean {
    return COUNTS.every((name) => this[name] === 0) && this.srttUs.count === 0 && this.drops.size === 0;
  }

  /** A call that was timed. */
  took(isWrite: boolean, ns: number): void {
    (isWrite ? this.writeNs : this.readNs).record(ns);
  }

  drop(reason: string, count: number): void {
    const name = this.drops.has(reason) || this.drops.size < MAX_REASONS ? reason : OTHER_DROPS;
    this.drops.set(name, (this.drops.get(name) ?? 0) + count);
  }

  add(other: TcpSet): void {
    for (const name of COUNTS) this[name] += other[name];
    for (const [i, histogram] of this.histograms.entries()) histogram.add(other.histograms[i]!);
    for (const [reason, count] of other.drops) this.drop(reason, count);
  }

  reset(): void {
    for (const name of COUNTS) this[name] = 0;
    for (const histogram of this.histograms) histogram.reset();
    this.drops.clear();
  }

  profile(openConnections: number, withBuckets: boolean): TcpProfile {
    const counts = Object.fromEntries(COUNTS.map((name) => [name, this[name]])) as Record<
      (typeof COUNTS)[number],
      number
    >;
    return {
      ...counts,
      openConnections,
      connectMs: this.connectNs.distribution(NS_PER_MS, withBuckets),
      srttMs: this.srttUs.distribution(US_PER_MS, withBuckets),
      rttvarMs: this.rttvarUs.distribution(US_PER_MS, withBuckets),
      ...(this.readNs.count > 0 && { readMs: this.readNs.distribution(NS_PER_MS, withBuckets) }),
      ...(this.writeNs.count > 0 && { writeMs: this.writeNs.distribution(NS_PER_MS, withBuckets) }),
      ...(this.drops.size > 0 && { drops: Object.fromEntries(this.drops) }),
    };
  }
}
