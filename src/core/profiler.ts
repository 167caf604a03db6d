/**
 * The line from a kernel record to the profile: decode → stream → message → exchange → sample and aggregate.
 * Live and replay run the same; the records come from outside, and so does the time.
 */
import { addressText } from "./address.ts";
import { Aggregate, type AggregateOptions } from "./aggregate.ts";
import { CaptureCounters } from "./capture.ts";
import { ConnectionTable } from "./connections.ts";
import type { RecordCursor } from "./decode.ts";
import { type ExchangeEvents, type ExchangeOptions, Exchanges } from "./exchanges.ts";
import { Lifecycle, type LifecycleEvents } from "./lifecycle.ts";
import { OpaqueConnections } from "./opaque.ts";
import type { Focus } from "./overview.ts";
import { ProcessNames } from "./process-names.ts";
import type { Metrics } from "./profile/figures.ts";
import type { Place } from "./profile/parties.ts";
import type { Total, Window } from "./profile/window.ts";
import {
  EVENT_BOUND,
  EVENT_DATA,
  EVENT_DROP,
  EVENT_OPAQUE,
  EVENT_OPEN,
  EVENT_PEER,
  EVENT_PROCESS,
  EVENT_REFUSED,
  EVENT_STATE,
  EVENT_TCP,
  EVENT_UNREADABLE,
} from "./record-layout.ts";
import { Sampler, type SamplerOptions } from "./sampler.ts";
import { type TcpReportEvents, TcpReports } from "./tcp-reports.ts";
import { UnreadableWarnings } from "./unreadable.ts";
import type { OpaqueEvents } from "./unreadable-rows.ts";

/** Times are CLOCK_MONOTONIC, and shown as time since the epoch. */
export interface ProfilerOptions
  extends ExchangeOptions,
    SamplerOptions,
    Pick<AggregateOptions, "maxEndpoints" | "histograms"> {
  /** Windows and totals have `endpoints`, too. */
  readonly mergesEndpoints: boolean;
}

/** What happens while records are read. */
export interface ProfilerEvents extends ExchangeEvents, LifecycleEvents, OpaqueEvents, TcpReportEvents {
  onWarning(code: string, message: string, timeNs: number): void;
  /** The name of a process that no record named; "" if it is not known. */
  nameOf(pid: number): string;
  /** Where the process runs, if that can be seen. */
  placeOf(pid: number): Place;
  /** The name of an address; null as long as none is known. */
  hostOf(address: string): string | null;
}

export class Profiler {
  readonly counters = new CaptureCounters();
  private readonly options: ProfilerOptions;
  private readonly events: ProfilerEvents;
  private readonly names: ProcessNames;
  private readonly aggregate: Aggregate;
  private readonly sampler: Sampler;
  private readonly table = new ConnectionTable((sample) => this.events.onSample(sample));
  private readonly exchanges: Exchanges;
  private readonly unreadable: UnreadableWarnings;
  private readonly opaqueConnections: OpaqueConnections;
  private readonly tcpReports: TcpReports;
  private readonly lifecycle: Lifecycle;

  constructor(options: ProfilerOptions, events: ProfilerEvents) {
    this.options = options;
    this.events = events;
    this.names = new ProcessNames((pid) => events.nameOf(pid));
    this.aggregate = new Aggregate({ ...options, commOf: (pid) => this.names.of(pid), ...boundTo(events) });
    this.sampler = new Sampler(options);
    this.unreadable = new UnreadableWarnings(events);
    const { counters, table, names, unreadable } = this;
    this.opaqueConnections = new OpaqueConnections(events, { table, unreadable, counters, startNs: options.startNs });
    this.exchanges = new Exchanges(options, events, counters, this.aggregate, this.sampler);
    this.tcpReports = new TcpReports(events, table, this.opaqueConnections);
    const { opaqueConnections, tcpReports } = this;
    const { context } = this.exchanges;
    const parts = { counters, context, table, names, unreadable, opaqueConnections, tcpReports };
    this.lifecycle = new Lifecycle(events, parts);
  }

  /** One record, in the order of the ring. The hot path. */
  receive(record: RecordCursor): void {
    this.counters.events++;
    const { kind } = record;
    if (kind === EVENT_DATA) this.lifecycle.data(record);
    else if (kind === EVENT_OPEN) this.lifecycle.open(record);
    else if (kind === EVENT_STATE) this.lifecycle.stateChanged(record);
    else if (kind === EVENT_OPAQUE) this.lifecycle.opaque(record);
    else if (kind === EVENT_UNREADABLE) this.lifecycle.unreadableConnection(record);
    else if (kind === EVENT_PROCESS) this.lifecycle.process(record);
    else if (kind === EVENT_PEER) this.lifecycle.peer(record);
    else if (kind === EVENT_TCP) this.tcpReports.sample(record);
    else if (kind === EVENT_DROP) this.tcpReports.drop(record);
    else if (kind === EVENT_REFUSED) this.refused(record);
    else if (kind === EVENT_BOUND) this.opaqueConnections.bound(record);
  }

  /** The memory of the records read so far goes. */
  releaseRecords(): void {
    this.exchanges.releaseRecords();
  }

  /** Call now and then: lets go of what waited too long. */
  tick(nowNs: number): void {
    this.opaqueConnections.tick(nowNs);
    this.lifecycle.tick(nowNs);
    this.exchanges.tick(nowNs);
  }

  /** No more records will come. */
  finish(timeNs: number): void {
    this.lifecycle.finish();
    this.exchanges.finish();
    this.opaqueConnections.finish();
    this.unreadable.tellCounts(timeNs);
  }

  /** The exchanges since the last call, as of `timeUs`, `windowMs` long. */
  endWindow(timeUs: number, windowMs: number): Window {
    const window = this.window("window", timeUs, windowMs);
    this.aggregate.endWindow();
    return window;
  }

  /** The whole run. */
  total(timeUs: number, windowMs: number): Total {
    this.exchanges.releaseSamples(Number.POSITIVE_INFINITY);
    for (const open of this.table.values()) open.traffic.settleFinally();
    this.aggregate.endWindow();
    this.aggregate.restore();
    this.sampler.restore();
    return this.soFar(timeUs, windowMs);
  }

  /** From the start, or the last reset, to the end of the last window. */
  soFar(timeUs: number, windowMs: number): Total {
    return {
      ...this.window("total", timeUs, windowMs),
      top: this.sampler.slowest(),
      samplesHeldBack: this.sampler.heldBack,
    };
  }

  /** With their buckets, over the same time as `soFar`. */
  distributions(focus: Focus, windowMs: number): Metrics {
    return this.aggregate.distributions(focus, windowMs);
  }

  /** `soFar` begins anew, `total` does not. */
  reset(): void {
    this.aggregate.reset();
    this.sampler.reset();
  }

  private window(scope: "window" | "total", timeUs: number, windowMs: number): Window {
    const edges = this.aggregate.profile(scope, windowMs);
    const window = { timeUs, windowMs, edges, capture: this.counters.snapshot(), ...this.unreadableTls() };
    return this.options.mergesEndpoints ? { ...window, endpoints: this.aggregate.endpoints(scope, windowMs) } : window;
  }

  private unreadableTls() {
    const unreadableTls = this.opaqueConnections.profile();
    return unreadableTls.length > 0 ? { unreadableTls } : {};
  }

  private refused(record: RecordCursor): void {
    this.names.learn(record.pid, record.comm);
    const address = addressText(record.refusedFamily, record.refusedAddress);
    this.aggregate.failedConnect(record.pid, address, record.refusedPort);
  }
}

function boundTo(events: ProfilerEvents) {
  return {
    placeOf: (pid: number) => events.placeOf(pid),
    hostOf: (address: string) => events.hostOf(address),
  };
}
