/** What TCP went through on the connections of an edge: in numbers of the kernel's own, and counted calls. */
import { Histogram } from "./histogram.ts";
import type { TcpProfile } from "./profile.ts";
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

  get isEmpty(): boolean {
    return COUNTS.every((name) => this[name] === 0) && this.srttUs.count === 0;
  }

  add(other: TcpSet): void {
    for (const name of COUNTS) this[name] += other[name];
    this.connectNs.add(other.connectNs);
    this.srttUs.add(other.srttUs);
    this.rttvarUs.add(other.rttvarUs);
  }

  reset(): void {
    for (const name of COUNTS) this[name] = 0;
    for (const histogram of [this.connectNs, this.srttUs, this.rttvarUs]) histogram.reset();
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
    };
  }
}
