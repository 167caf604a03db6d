/** A profiler with a wire at its one end, and at the other all that comes out of it. */

import { RecordCursor } from "../../src/core/decode.ts";
import type { EdgeProfile } from "../../src/core/profile/edge.ts";
import type { Sample } from "../../src/core/profile/sample.ts";
import type { SamplingRule } from "../../src/core/profile/start.ts";
import type { Capture } from "../../src/core/profile/window.ts";
import { Profiler, type ProfilerOptions } from "../../src/core/profiler.ts";
import { createRouter } from "../../src/core/route.ts";
import { compileRules } from "../../src/core/rules.ts";
import { START_NS, Wire } from "./wire.ts";

export const DEFAULT_RULE: SamplingRule = {
  uriRegex: null,
  slowMs: 1000,
  on4xx: true,
  on5xx: true,
  keep: "both",
  maxRequestBytes: 2048,
  maxResponseBytes: 2048,
};

/** Makes a sample of every exchange. */
export const SAMPLE_ALL: SamplingRule = { ...DEFAULT_RULE, slowMs: 0, on4xx: false, on5xx: false };

const RING_BYTES = 1 << 18;
const RUN_MS = 60_000;
const RELEASE_EVERY = 3;
const SCRIBBLE = 0x5a;

export interface Profiling {
  readonly profiler: Profiler;
  readonly wire: Wire;
  readonly samples: Sample[];
  readonly warnings: { code: string; message: string }[];
  /** The connections of which no more was wanted. */
  readonly ignored: number[];
  /** One record, as if from the ring. */
  receive(record: Uint8Array): void;
  edges(): readonly EdgeProfile[];
  capture(): Capture;
  /** `METHOD uri → status`, in the order in which they were completed; no more records will come. */
  pairs(): string[];
  /** What is held until it is sure counts: no more records will come. */
  finish(): Profiling;
}

export function startProfiling(
  options: Partial<ProfilerOptions> & { nameOf?: (pid: number) => string } = {},
): Profiling {
  const samples: Sample[] = [];
  const warnings: { code: string; message: string }[] = [];
  const ignored: number[] = [];
  const rules = options.rules ?? [SAMPLE_ALL];
  const profiler = new Profiler(
    {
      rules,
      startNs: START_NS,
      matchRule: compileRules(rules).match,
      route: createRouter({ rawUris: true, templates: [] }),
      maxEndpoints: 1000,
      groupBy: null,
      histograms: false,
      mergesEndpoints: false,
      topN: 10,
      maxSamplesPerSecond: Number.POSITIVE_INFINITY,
      onlyTraced: false,
      traceId: null,
      showSecrets: false,
      keepsWire: false,
      toEpochUs: (ns) => ns / 1000,
      toInstant: (ns) => ({ seconds: Math.floor(ns / 1e9), nanos: ns % 1e9 }),
      ...options,
    },
    {
      onSample: (sample) => samples.push(sample),
      onWarning: (code, message) => warnings.push({ code, message }),
      onIgnore: ({ id }) => ignored.push(id),
      onPass: () => {},
      placeOf: () => ({}),
      hostOf: () => null,
      nameOf: options.nameOf ?? ((pid) => `pid-${pid}`),
      tlsLibraryOf: () => "a library",
      dropReasonOf: (reason) => `REASON_${reason}`,
    },
  );
  const receive = receiver(profiler);
  const profiling: Profiling = {
    profiler,
    wire: new Wire(receive),
    samples,
    warnings,
    ignored,
    receive,
    edges: () => profiler.total(0, RUN_MS).edges,
    capture: () => profiler.counters.snapshot(),
    pairs: () => {
      profiler.finish(0);
      return samples.map(({ request, response }) => `${request.method} ${request.uri} → ${response.status}`);
    },
    finish: () => {
      profiler.finish(0);
      return profiling;
    },
  };
  return profiling;
}

/**
 * All records lie in turn in the same memory, which is released every few of them and then holds something else:
 * nothing may point at it any more.
 */
function receiver(profiler: Profiler): (record: Uint8Array) => void {
  const ring = new Uint8Array(RING_BYTES);
  const cursor = new RecordCursor();
  cursor.setMemory(ring.buffer);
  let at = 0;
  let count = 0;
  const release = () => {
    profiler.releaseRecords();
    ring.fill(SCRIBBLE, 0, at);
    at = 0;
  };
  return (record) => {
    if (at + record.length > RING_BYTES) release();
    ring.set(record, at);
    cursor.moveTo(at);
    profiler.receive(cursor);
    at += record.length;
    if (++count % RELEASE_EVERY === 0) release();
  };
}

/** What is left when the completed and the lost are taken from the requests: those that wait. */
export function inFlight(profiling: Profiling): number {
  return profiling.edges().reduce((sum, edge) => sum + edge.inFlight, 0);
}

export function imbalance(profiling: Profiling): number {
  const { requests, exchanges, unansweredRequests } = profiling.capture();
  return requests - exchanges - unansweredRequests - inFlight(profiling);
}
