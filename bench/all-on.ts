/**
 * `npm run bench -- --all-on`: what it costs beyond the plain profile to time the calls, to see drops, and to profile
 * both sides. In turns, so that all see the same machine; medians. An exchange that both sides see counts as two.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { programsOf } from "../test/support/bpf.ts";
import { runChild } from "../test/support/child.ts";
import { startL7prof } from "../test/support/l7prof.ts";
import type { Nginx } from "../test/support/nginx.ts";
import { enableBpfStats } from "./bpf-stats.ts";
import { bpfNs, median } from "./l7prof-cost.ts";
import { cpuNs } from "./process-cost.ts";

interface Setting {
  readonly name: string;
  readonly options: readonly string[];
}

export interface AllOnCost {
  readonly work: string;
  readonly name: string;
  readonly bpfUs: number;
  readonly cpuUs: number;
}

const settings: readonly Setting[] = [
  { name: "plain", options: [] },
  { name: "--call-times", options: ["--call-times"] },
  { name: "--tcp", options: ["--tcp"] },
  { name: "--tcp, both sides", options: ["--tcp", "--comm", "ab"] },
];

const works = [
  { work: "keep-alive", count: 300_007, flags: ["-k"] },
  { work: "a connection for each", count: 50_021, flags: [] },
] as const;

export async function measureAllOn(nginx: Nginx, rounds: number): Promise<AllOnCost[]> {
  enableBpfStats();
  const costs: AllOnCost[] = [];
  for (const { work, count, flags } of works) {
    const of = settings.map(({ name, options }) => ({ name, options, bpf: [] as number[], cpu: [] as number[] }));
    for (let round = 0; round < rounds; round++) {
      for (const one of of) {
        const { bpfUs, cpuUs } = await measure(nginx, one.options, count, flags);
        one.bpf.push(bpfUs);
        one.cpu.push(cpuUs);
      }
    }
    costs.push(...of.map(({ name, bpf, cpu }) => ({ work, name, bpfUs: median(bpf), cpuUs: median(cpu) })));
  }
  return costs;
}

async function measure(nginx: Nginx, options: readonly string[], count: number, flags: readonly string[]) {
  const run = await startL7prof(["--json", "--raw-uris", "--interval", "1h", "--pid", `${nginx.pid}`, ...options]);
  const its = new Set(programsOf(run.pid));
  const load = (requests: number) =>
    runChild("ab", ["-q", ...flags, "-c", "16", "-n", `${requests}`, `http://127.0.0.1:${nginx.port}/hello`]);
  await load(30_011); // the JIT compiles
  await sleep(200);
  const [bpfBefore, cpuBefore] = [bpfNs(its), cpuNs(run.pid)];
  await load(count);
  await sleep(200);
  const [bpfTime, cpuTime] = [bpfNs(its) - bpfBefore, cpuNs(run.pid) - cpuBefore];
  const { summary } = await run.finish();
  const seen = count * (options.includes("ab") ? 2 : 1);
  if (summary.capture.lostEvents > 0) console.error(`${options.join(" ")}: ${summary.capture.lostEvents} events lost`);
  return { bpfUs: bpfTime / seen / 1000, cpuUs: cpuTime / seen / 1000 };
}
