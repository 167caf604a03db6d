/** How long exchanges took that both sides saw: at the client, at the server, and on the way between them. */
import { Histogram } from "./histogram.ts";
import type { BothSidesProfile } from "./profile/edge.ts";
import type { Summable } from "./running.ts";

const NS_PER_MS = 1e6;

export class BothSidesSet implements Summable<BothSidesSet> {
  private readonly clientNs = new Histogram();
  private readonly serverNs = new Histogram();
  private readonly transitNs = new Histogram();

  get isEmpty(): boolean {
    return this.clientNs.count === 0;
  }

  /** A difference below zero, as short exchanges may have since a call's time is that of its end, counts as 0. */
  record(clientNs: number, serverNs: number): void {
    this.clientNs.record(clientNs);
    this.serverNs.record(serverNs);
    this.transitNs.record(clientNs - serverNs);
  }

  add(other: BothSidesSet): void {
    this.clientNs.add(other.clientNs);
    this.serverNs.add(other.serverNs);
    this.transitNs.add(other.transitNs);
  }

  reset(): void {
    for (const histogram of [this.clientNs, this.serverNs, this.transitNs]) histogram.reset();
  }

  profile(withBuckets: boolean): BothSidesProfile {
    return {
      exchanges: this.clientNs.count,
      clientMs: this.clientNs.distribution(NS_PER_MS, withBuckets),
      serverMs: this.serverNs.distribution(NS_PER_MS, withBuckets),
      transitMs: this.transitNs.distribution(NS_PER_MS, withBuckets),
    };
  }
}
