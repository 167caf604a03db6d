/**
 * Which exchanges become samples: those that meet their rule's conditions. The slowest of each reason of each edge
 * are kept for the summary, exactly; the live output gets as many a second as it was said to bear.
 */
import type { Edge } from "./edge.ts";
import type { Exchange } from "./exchange.ts";
import type { ProcessInfo, Sample, SampleReason, SamplingRule } from "./profile.ts";
import { sampleReasons } from "./rules.ts";
import { buildSample } from "./sample.ts";

export interface SamplerOptions {
  readonly rules: readonly SamplingRule[];
  readonly topN: number;
  readonly maxSamplesPerSecond: number;
  readonly onlyTraced: boolean;
  readonly showSecrets: boolean;
  readonly toEpochUs: (monotonicNs: number) => number;
}

const REASONS: readonly SampleReason[] = ["slow", "4xx", "5xx"];
const NS_PER_SECOND = 1e9;

/** The slowest samples of one edge and reason, slowest first. */
type Slowest = Sample[];

export class Sampler {
  /** Samples that the live output did not get. */
  heldBack = 0;
  private readonly options: SamplerOptions;
  private top = new Map<Edge, Record<SampleReason, Slowest>>();
  /** Those of before the last reset. */
  private before = new Map<Edge, Record<SampleReason, Slowest>>();
  private second = 0;
  private givenThisSecond = 0;

  constructor(options: SamplerOptions) {
    this.options = options;
  }

  /**
   * The sample to show live, if the exchange is one and there is room for it. `other`: the process at the other end,
   * which the edge may know by name alone.
   */
  consider(edge: Edge, exchange: Exchange, other: ProcessInfo | null): Sample | undefined {
    const rule = this.options.rules[exchange.target.rule]!;
    const durationNs = exchange.responseEndNs - exchange.requestStartNs;
    const reasons = sampleReasons(rule, exchange.status, durationNs);
    if (reasons === undefined) return undefined;
    const lists = this.listsOf(edge);
    const topReasons = reasons.filter((reason) => this.isAmongSlowest(lists[reason], durationNs / 1e6));
    const isShown = this.hasRoom(exchange.responseEndNs);
    if (!isShown && topReasons.length === 0 && !this.options.onlyTraced) {
      this.heldBack++;
      return undefined;
    }
    const { side, process } = edge;
    const peer = { ...edge.peer, ...other };
    const sample = buildSample(exchange, { ...this.options, side, process, peer, rule, reasons });
    if (this.options.onlyTraced && sample.trace === null) return undefined;
    for (const reason of topReasons) this.keep(lists[reason], sample);
    if (isShown) this.givenThisSecond++;
    else this.heldBack++;
    return isShown ? sample : undefined;
  }

  /** Of all edges, slowest first. */
  slowest(): Record<SampleReason, readonly Sample[]> {
    const of = (reason: SampleReason) =>
      [...this.top.values()].flatMap((lists) => lists[reason]).sort((a, b) => b.durationMs - a.durationMs);
    return { slow: of("slow"), "4xx": of("4xx"), "5xx": of("5xx") };
  }

  /** The slowest are looked for anew, until `restore` makes them those of the whole run again. */
  reset(): void {
    this.restore();
    this.before = this.top;
    this.top = new Map();
  }

  restore(): void {
    for (const [edge, lists] of this.before) {
      const now = this.listsOf(edge);
      for (const reason of REASONS) for (const sample of lists[reason]) this.keep(now[reason], sample);
    }
    this.before = new Map();
  }

  private listsOf(edge: Edge): Record<SampleReason, Slowest> {
    const known = this.top.get(edge);
    if (known !== undefined) return known;
    const lists = Object.fromEntries(REASONS.map((reason) => [reason, []])) as unknown as Record<SampleReason, Slowest>;
    this.top.set(edge, lists);
    return lists;
  }

  private isAmongSlowest(list: Slowest, durationMs: number): boolean {
    if (list.length < this.options.topN) return true;
    return list.length > 0 && durationMs > list[list.length - 1]!.durationMs;
  }

  private keep(list: Slowest, sample: Sample): void {
    const at = list.findIndex((kept) => kept.durationMs < sample.durationMs);
    list.splice(at === -1 ? list.length : at, 0, sample);
    if (list.length > this.options.topN) list.pop();
  }

  private hasRoom(timeNs: number): boolean {
    const second = Math.floor(timeNs / NS_PER_SECOND);
    if (second !== this.second) {
      this.second = second;
      this.givenThisSecond = 0;
    }
    return this.givenThisSecond < this.options.maxSamplesPerSecond;
  }
}
