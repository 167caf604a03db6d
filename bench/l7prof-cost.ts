import { setTimeout as sleep } from "node:timers/promises";
import { l7profPrograms, programsOf } from "../test/support/bpf.ts";
import { edgesOf, startL7prof } from "../test/support/l7prof.ts";
import type { Nginx } from "../test/support/nginx.ts";
import { tallyOf, totalOf } from "../test/support/tally.ts";
import { enableBpfStats } from "./bpf-stats.ts";
import { cpuNs, peakMiB } from "./process-cost.ts";
import { type Protocol, runLoad } from "./work.ts";

/** Of one run: cold work, while the JIT compiles, and then warm work, as most of a long run is. */
export interface Cost {
  readonly coldCpuUsPerExchange: number;
  readonly bpfUsPerExchange: number;
  readonly cpuUsPerExchange: number;
  readonly peakMiB: number;
  readonly startMs: number;
  readonly counted: number;
  readonly lostEvents: number;
}

const settings = ["--json", "--raw-uris"] as const;

export async function startTimed(nginx: Nginx) {
  const startedAt = performance.now();
  const run = await startL7prof([...settings, "--pid", `${nginx.pid}`]);
  return { run, startMs: performance.now() - startedAt };
}

/** Kernel and user time per exchange while the known work runs: `cold` exchanges, then `warm` ones. */
export async function measureCost(nginx: Nginx, cold: number, warm: number, protocol?: Protocol): Promise<Cost> {
  enableBpfStats();
  const { run, startMs } = await startTimed(nginx);
  const coldTime = await timeLoad(nginx, run.pid, cold, protocol);
  const warmTime = await timeLoad(nginx, run.pid, warm, protocol);
  const peak = peakMiB(run.pid);
  const { summary } = await run.finish();
  return {
    coldCpuUsPerExchange: coldTime.cpuNs / cold / 1000,
    bpfUsPerExchange: warmTime.bpfNs / warm / 1000,
    cpuUsPerExchange: warmTime.cpuNs / warm / 1000,
    peakMiB: peak,
    startMs,
    counted: totalOf(tallyOf(edgesOf(summary, "server"))),
    lostEvents: summary.capture.lostEvents,
  };
}

async function timeLoad(nginx: Nginx, pid: number, exchanges: number, protocol?: Protocol) {
  const its = new Set(programsOf(pid));
  const [bpfBefore, cpuBefore] = [bpfNs(its), cpuNs(pid)];
  await runLoad(nginx, exchanges, protocol);
  const bpfTime = bpfNs(its) - bpfBefore;
  await sleep(200); // what is still in the ring is its work, too
  return { bpfNs: bpfTime, cpuNs: cpuNs(pid) - cpuBefore };
}

/** Share of one core, in percent, while `work` goes on for so long: with nothing to see, or little. */
export async function measureShare(nginx: Nginx, seconds: number, work: (ms: number) => Promise<unknown>) {
  const { run } = await startTimed(nginx);
  await work(3000); // its start is over, and what there is to compile is compiled
  const before = cpuNs(run.pid);
  await work(seconds * 1000);
  const share = (cpuNs(run.pid) - before) / (seconds * 1e7);
  await run.finish();
  return share;
}

/** The server's requests a second, alone and profiled in turn; a pair a round. */
export async function measureThroughput(nginx: Nginx, exchanges: number, rounds: number, protocol?: Protocol) {
  const alone: number[] = [];
  const profiled: number[] = [];
  for (let round = 0; round < rounds; round++) {
    alone.push((await runLoad(nginx, exchanges, protocol)).requestsPerSecond);
    const { run } = await startTimed(nginx);
    profiled.push((await runLoad(nginx, exchanges, protocol)).requestsPerSecond);
    await run.finish();
  }
  return { alone: median(alone), profiled: median(profiled) };
}

export function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)]!;
}

/** Run time of these programs so far. */
export function bpfNs(ids: ReadonlySet<number>): number {
  const programs = l7profPrograms().filter(({ id }) => ids.has(id));
  return programs.reduce((total, program) => total + (program.run_time_ns ?? 0), 0);
}
