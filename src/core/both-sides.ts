/**
 * The two views of one exchange, where both processes are profiled: joined by the connection and by where in its
 * stream the request began, which is the same number on both sides. What the client waited beyond what the server took
 * is the time on the way and in queues.
 */
import type { Edge } from "./edge.ts";
import type { Exchange } from "./exchange.ts";
import type { Side } from "./profile/parties.ts";
import type { Sample } from "./profile/sample.ts";

const NS_PER_MS = 1e6;
const MAX_WAITING = 256;

/** What one side saw, until the other side has seen it, too. */
interface Half {
  position: number;
  durationNs: number;
  endNs: number;
  edge: Edge;
  sample: Sample | undefined;
  isShown: boolean;
}

/** Shared by the two ends of a connection. */
export class Joint {
  /** All of them of `side`, in the order of their requests. */
  private readonly waiting: Half[] = [];
  private side: Side = "server";
  private readonly show: (sample: Sample) => void;

  /** `show` gets the samples that were to be shown, when both sides are known or will not be. */
  constructor(show: (sample: Sample) => void) {
    this.show = show;
  }

  /** An exchange as `edge.side` saw it, with its sample if it is one, which waits here if it is to be shown. */
  meet(exchange: Exchange, edge: Edge, sample: Sample | undefined, isShown: boolean): void {
    const { streamPosition: position, requestStartNs, responseEndNs: endNs } = exchange;
    const mine: Half = { position, durationNs: endNs - requestStartNs, endNs, edge, sample, isShown };
    const other = this.side === edge.side ? undefined : this.take(position);
    if (other !== undefined) this.join(mine, other);
    else this.wait(mine);
  }

  /** Samples whose other side is overdue are shown as they are. */
  release(beforeNs: number): void {
    while (this.waiting.length > 0 && this.waiting[0]!.endNs < beforeNs) this.letGo();
  }

  get holdsSamples(): boolean {
    return this.waiting.some(({ isShown }) => isShown);
  }

  private take(position: number): Half | undefined {
    for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0]) {
      const ahead = (first.position - position) | 0;
      if (ahead > 0) return undefined;
      if (ahead === 0) return this.waiting.shift();
      this.letGo(); // the other side missed it
    }
    return undefined;
  }

  private wait(half: Half): void {
    if (this.side !== half.edge.side) this.release(Number.POSITIVE_INFINITY);
    if (this.waiting.length >= MAX_WAITING) this.letGo();
    this.side = half.edge.side;
    this.waiting.push(half);
  }

  private letGo(): void {
    const { sample, isShown } = this.waiting.shift()!;
    if (sample !== undefined && isShown) this.show(sample);
  }

  private join(mine: Half, other: Half): void {
    const [client, server] = mine.edge.side === "client" ? [mine, other] : [other, mine];
    const bothSides = {
      clientMs: client.durationNs / NS_PER_MS,
      serverMs: server.durationNs / NS_PER_MS,
      transitMs: (client.durationNs - server.durationNs) / NS_PER_MS,
    };
    for (const { edge, sample, isShown } of [other, mine]) {
      edge.bothSides.window.record(client.durationNs, server.durationNs);
      if (sample !== undefined) sample.bothSides = bothSides;
      if (sample !== undefined && isShown) this.show(sample);
    }
  }
}
