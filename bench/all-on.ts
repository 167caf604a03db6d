/**
 * `npm run bench -- --all-on`: what it costs beyond the plain profile to time the calls, to see drops, and to profile
 * both sides. Each setting runs beside a plain profile of the same work, so that both see the same machine, however
 * fast it is at the moment. An exchange that both sides see counts as two.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { programsOf } from "../test/support/bpf.ts";
import { runChild } from "../test/support/child.ts";
import { type Run, startL7prof } from "../test/support/l7prof.ts";
import type { Nginx } from "../test/support/nginx.ts";
import { enableBpfStats } from "./bpf-stats.ts";
import { bpfNs, median } from "./l7prof-cost.ts";
import { cpuNs } from "./process-cost.ts";

/** Of an exchange and side, in microseconds. */
interface Cost {
  readonly bpfUs: number;
  readonly cpuUs: number;
}

export interface AllOnCost extends Cost {
  readonly work: string;
  readonly name: string;
  /** Both together, as multiples of what the plain profile beside it took. */
  readonly ratio: number;
}

const SIDES = ["--comm", "ab"];
const settings = [
  { name: "plain", options: [] },
  { name: "--call-times", options: ["--call-times"] },
  { name: "--tcp", options: ["--tcp"] },
  { name: "--tcp, both sides", options: ["--tcp", ...SIDES] },
  { name: "all of it", options: ["--tcp", "--call-times", "--resolve", ...SIDES] },
] as const;

const works = [
  { work: "keep-alive", count: 50_021, flags: ["-k"] },
  { work: "a connection for each", count: 10_007, flags: [] },
] as const;

type Work = (typeof works)[number];

const LOADS = 3;

export async function measureAllOn(nginx: Nginx, rounds: number): Promise<AllOnCost[]> {
  enableBpfStats();
  const costs: AllOnCost[] = [];
  for (const work of works) {
    for (const { name, options } of settings) {
      const pairs: (readonly [Cost, Cost])[] = [];
      for (let round = 0; round < rounds; round++) {
        pairs.push(...(await measureBeside(nginx, work, options, round % 2 === 0)));
      }
      costs.push({
        work: work.work,
        name,
        bpfUs: median(pairs.map(([, { bpfUs }]) => bpfUs)),
        cpuUs: median(pairs.map(([, { cpuUs }]) => cpuUs)),
        ratio: median(pairs.map(([plain, other]) => sum(other) / sum(plain))),
      });
    }
  }
  return costs;
}

/** The plain profile and the other at once, of a few loads. */
async function measureBeside(nginx: Nginx, { count, flags }: Work, options: readonly string[], isPlainFirst: boolean) {
  const start = (more: readonly string[]) =>
    startL7prof(["--json", "--raw-uris", "--interval", "1h", "--pid", `${nginx.pid}`, ...more]);
  const first = await start(isPlainFirst ? [] : options);
  const second = await start(isPlainFirst ? options : []);
  const [plain, other] = isPlainFirst ? [first, second] : [second, first];
  const load = (requests: number) =>
    runChild("ab", ["-q", ...flags, "-c", "16", "-n", `${requests}`, `http://127.0.0.1:${nginx.port}/hello`]);
  await load(30_011); // the JIT compiles
  const sides = options.includes("ab") ? 2 : 1;
  const pairs: (readonly [Cost, Cost])[] = [];
  for (let i = 0; i < LOADS; i++) {
    await sleep(200);
    const costs = [meter(plain), meter(other)] as const;
    await load(count);
    await sleep(200);
    pairs.push([costs[0](count), costs[1](count * sides)]);
  }
  for (const run of [second, first]) await finish(run);
  return pairs;
}

/** From now on; answers the cost of one of `seen` exchanges. */
function meter(run: Run): (seen: number) => Cost {
  const its = new Set(programsOf(run.pid));
  const [bpfBefore, cpuBefore] = [bpfNs(its), cpuNs(run.pid)];
  return (seen) => ({
    bpfUs: (bpfNs(its) - bpfBefore) / seen / 1000,
    cpuUs: (cpuNs(run.pid) - cpuBefore) / seen / 1000,
  });
}

async function finish(run: Run): Promise<void> {
  const { summary } = await run.finish();
  if (summary.capture.lostEvents > 0) console.error(`${summary.capture.lostEvents} events lost`);
}

function sum({ bpfUs, cpuUs }: Cost): number {
  return bpfUs + cpuUs;
}
