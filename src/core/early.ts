/** What happened on a connection before its first message has shown to which edge it belongs; most often a call or two. */
import { TcpSet } from "./tcp.ts";

const MAX_CALLS = 64;

export class EarlyCounts {
  /** What the calls took, below zero those that wrote. */
  private calls: number[] = [];
  /** When there are many, and if packets were dropped: a set is large. */
  private counts: TcpSet | null = null;

  took(isWrite: boolean, ns: number): void {
    this.calls.push(isWrite ? -ns : ns);
    if (this.calls.length >= MAX_CALLS) this.settleCalls(this.set());
  }

  dropped(reason: string): void {
    this.set().drop(reason, 1);
  }

  settle(counts: TcpSet): void {
    this.settleCalls(counts);
    if (this.counts !== null) counts.add(this.counts);
  }

  private set(): TcpSet {
    this.counts ??= new TcpSet();
    return this.counts;
  }

  private settleCalls(counts: TcpSet): void {
    for (const signedNs of this.calls) counts.took(signedNs < 0, Math.abs(signedNs));
    this.calls = [];
  }
}
