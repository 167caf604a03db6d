/**
 * Which exchanges become samples: those that meet their rule's conditions. The slowest of each reason of each edge
 * are kept for the summary, exactly; the live output gets as many a second as it was said to bear.
 */
import type { Connection } from "./connection.ts";
import type { Edge } from "./edge.ts";
import type { Exchange } from "./exchange.ts";
import { readHead } from "./http1/read-head.ts";
import type { Instant } from "./profile/instant.ts";
import type { Sample, SampleReason } from "./profile/sample.ts";
import type { SamplingRule } from "./profile/start.ts";
import type { TraceContext } from "./profile/trace.ts";
import type { TopSamples } from "./profile/window.ts";
import { sampleReasons } from "./rules.ts";
import { buildSample } from "./sample.ts";
import { readTrace } from "./trace/trace.ts";
import { traceIdMatcher } from "./trace/trace-id.ts";

export interface SamplerOptions {
  readonly rules: readonly SamplingRule[];
  readonly topN: number;
  readonly maxSamplesPerSecond: number;
  readonly onlyTraced: boolean;
  /** Follow this trace: its exchanges are the samples, and all of them are. */
  readonly traceId: string | null;
  readonly showSecrets: boolean;
  /** Keep what went over the connection, secrets masked, with each sample. */
  readonly keepsWire: boolean;
  readonly toEpochUs: (monotonicNs: number) => number;
  readonly toInstant: (monotonicNs: number) => Instant;
}

const REASONS: readonly SampleReason[] = ["slow", "4xx", "5xx", "trace"];
/** Of the trace that is followed. */
const MAX_TRACE_SAMPLES = 1000;
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
  /** The last sample that `consider` built, whether it is to be shown or only among the slowest. */
  built: Sample | undefined = undefined;
  private second = 0;
  private givenThisSecond = 0;
  private readonly isWanted: ((context: TraceContext) => boolean) | null;

  constructor(options: SamplerOptions) {
    this.options = options;
    this.isWanted = options.traceId === null ? null : traceIdMatcher(options.traceId);
  }

  /**
   * The sample to show live, if the exchange is one and there is room for it. The connection
   * knows the process at the other end, of which the edge may know the name alone.
   */
  consider(edge: Edge, exchange: Exchange, connection: Connection): Sample | undefined {
    this.built = undefined;
    const rule = this.options.rules[exchange.target.rule]!;
    const durationNs = exchange.responseEndNs - exchange.requestStartNs;
    const ruleReasons = sampleReasons(rule, exchange.status, durationNs);
    const reasons = this.isWanted === null ? ruleReasons : this.traceReasons(this.isWanted, exchange, ruleReasons);
    if (reasons === undefined) return undefined;
    const lists = this.listsOf(edge);
    const topReasons = reasons.filter((reason) => this.isAmongSlowest(reason, lists[reason], durationNs / 1e6));
    const isShown = this.hasRoom(exchange.responseEndNs);
    if (!isShown && topReasons.length === 0 && !this.options.onlyTraced) {
      this.heldBack++;
      return undefined;
    }
    const { side, process, protocol } = edge;
    const peer = { ...edge.peer, ...connection.peer };
    const { isWanted } = this;
    const sample = buildSample(exchange, {
      ...this.options,
      side,
      process,
      peer,
      protocol,
      connection: connection.info,
      rule,
      reasons,
      ...(isWanted && { isWanted }),
    });
    if (this.options.onlyTraced && sample.trace === null) return undefined;
    this.built = sample;
    for (const reason of topReasons) this.keep(reason, lists[reason], sample);
    if (isShown) this.givenThisSecond++;
    else this.heldBack++;
    return isShown ? sample : undefined;
  }

  /** Of all edges, slowest first; those of the trace in order of time. */
  slowest(): TopSamples {
    const of = (reason: SampleReason) => [...this.top.values()].flatMap((lists) => lists[reason]);
    const slowest = (reason: SampleReason) => of(reason).sort((a, b) => b.durationMs - a.durationMs);
    const top = { slow: slowest("slow"), "4xx": slowest("4xx"), "5xx": slowest("5xx") };
    return this.isWanted === null ? top : { ...top, trace: of("trace").sort((a, b) => a.timeUs - b.timeUs) };
  }

  private traceReasons(
    isWanted: (context: TraceContext) => boolean,
    exchange: Exchange,
    reasons: readonly SampleReason[] = [],
  ): readonly SampleReason[] | undefined {
    const { trace } = readTrace(readHead(exchange.request.view, "request").headers, isWanted);
    return trace !== null && isWanted(trace) ? [...reasons, "trace"] : undefined;
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
      for (const reason of REASONS) for (const sample of lists[reason]) this.keep(reason, now[reason], sample);
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

  private isAmongSlowest(reason: SampleReason, list: Slowest, durationMs: number): boolean {
    if (list.length < this.mostOf(reason)) return true;
    return list.length > 0 && durationMs > list[list.length - 1]!.durationMs;
  }

  private mostOf(reason: SampleReason): number {
    return reason === "trace" ? MAX_TRACE_SAMPLES : this.options.topN;
  }

  private keep(reason: SampleReason, list: Slowest, sample: Sample): void {
    const at = list.findIndex((kept) => kept.durationMs < sample.durationMs);
    list.splice(at === -1 ? list.length : at, 0, sample);
    if (list.length > this.mostOf(reason)) list.pop();
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
