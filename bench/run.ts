/**
 * `npm run bench`: what l7prof costs on known work, as one table. `--rivals` adds other tools on the same work,
 * `--all-on` compares the plain profile with what can be switched on.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { runCleanups } from "../test/support/cleanup.ts";
import { type AllOnCost, measureAllOn } from "./all-on.ts";
import { type Cost, measureCost, measureShare, measureThroughput, median } from "./l7prof-cost.ts";
import { measureBpftrace, measureTshark } from "./rivals.ts";
import { runLightLoad, startSecureTarget, startTarget } from "./work.ts";
import { measureYardstick, YARDSTICK_US } from "./yardstick.ts";

type Row = readonly [what: string, value: string, limit: string];

const exchanges = 100_003;
const warmExchanges = 1_000_003;
const secureExchanges = 300_007;
const rounds = 3;

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    await runCleanups();
    process.exit(130);
  });
}
process.stdout.once("error", async () => {
  await runCleanups(); // nobody reads any more: a closed pipe
  process.exit(1);
});
try {
  await main();
} finally {
  await runCleanups();
}

async function main(): Promise<void> {
  const nginx = await startTarget();
  if (process.argv.includes("--all-on")) return printAllOn(await measureAllOn(nginx, rounds));
  console.log(`ab -k -c 16 -n ${exchanges} on nginx answering 24 bytes; medians of ${rounds} runs;`);
  console.log(`cost: the first ${exchanges} after the start, then ${warmExchanges} more\n`);
  const throughput = await measureThroughput(nginx, exchanges, rounds);
  const idlePercent = await measureShare(nginx, 5, (ms) => sleep(ms));
  const lightPercent = await measureShare(nginx, 5, (ms) => runLightLoad(nginx, ms));
  const costs: Cost[] = [];
  const yardsticks = [measureYardstick()];
  for (let round = 0; round < rounds; round++) {
    costs.push(await measureCost(nginx, exchanges, warmExchanges));
    yardsticks.push(measureYardstick());
  }
  const yardstick = median(yardsticks);
  const middle = (field: keyof (typeof costs)[0]) => median(costs.map((cost) => cost[field]));

  print([
    ["BPF time per exchange", `${middle("bpfUsPerExchange").toFixed(2)} µs`, "≤ 1.5 µs"],
    ["l7prof's CPU per exchange", `${middle("cpuUsPerExchange").toFixed(2)} µs`, "≤ 2 µs"],
    ["the yardstick: llhttp, a head of 383 bytes", `${yardstick.toFixed(2)} µs`, `${YARDSTICK_US} µs for the limits`],
    ["by the yardstick: BPF, CPU", byYardstick(middle, YARDSTICK_US / yardstick), "≤ 1.5 µs, ≤ 2 µs"],
    ["the same for the first exchanges (JIT)", `${middle("coldCpuUsPerExchange").toFixed(2)} µs`, ""],
    ["peak resident memory", `${middle("peakMiB").toFixed(0)} MiB`, "≤ 150 MB"],
    ["start to capturing", `${middle("startMs").toFixed(0)} ms`, "≤ 700 ms"],
    ["CPU when idle", `${idlePercent.toFixed(2)} %`, "< 1 %"],
    ["CPU at 50 requests a second", `${lightPercent.toFixed(2)} %`, ""],
    ["exchanges counted", costs.map(({ counted }) => counted).join(" "), `${exchanges + warmExchanges}`],
    ["events lost", costs.map(({ lostEvents }) => lostEvents).join(" "), "0"],
    ["nginx alone", `${throughput.alone.toFixed(0)} requests/s`, ""],
    ["nginx profiled", `${throughput.profiled.toFixed(0)} requests/s`, percentOf(throughput)],
  ]);
  print(await measureSecure());
  if (process.argv.includes("--rivals")) {
    print([
      ["tshark -z http,tree: CPU per exchange", `${(await measureTshark(nginx, 20_011)).toFixed(1)} µs`, ""],
      ["bpftrace, count and histogram: kernel time", `${(await measureBpftrace(nginx, exchanges)).toFixed(2)} µs`, ""],
    ]);
  }
}

/** The same over HTTPS: ab pays for the probes, too, since they are in the library that both use. */
async function measureSecure(): Promise<readonly Row[]> {
  const nginx = await startSecureTarget();
  const throughput = await measureThroughput(nginx, exchanges, rounds, "https");
  const costs: Cost[] = [];
  for (let round = 0; round < rounds; round++)
    costs.push(await measureCost(nginx, exchanges, secureExchanges, "https"));
  const middle = (field: keyof (typeof costs)[0]) => median(costs.map((cost) => cost[field]));
  return [
    ["HTTPS: BPF time per exchange", `${middle("bpfUsPerExchange").toFixed(2)} µs`, ""],
    ["HTTPS: l7prof's CPU per exchange", `${middle("cpuUsPerExchange").toFixed(2)} µs`, ""],
    ["HTTPS: exchanges counted", costs.map(({ counted }) => counted).join(" "), `${exchanges + secureExchanges}`],
    ["HTTPS: nginx alone", `${throughput.alone.toFixed(0)} requests/s`, ""],
    ["HTTPS: nginx profiled", `${throughput.profiled.toFixed(0)} requests/s`, percentOf(throughput)],
  ];
}

function printAllOn(costs: readonly AllOnCost[]): void {
  console.log(
    "ab -c 16 on nginx answering 24 bytes; µs per exchange and side, and how much more than plain beside it;",
  );
  console.log("two profiles share the machine, so each costs more than alone\n");
  for (const { work, name, bpfUs, cpuUs, ratio } of costs) {
    const figures = `kernel ${bpfUs.toFixed(2)}  l7prof ${cpuUs.toFixed(2)}  both ${(bpfUs + cpuUs).toFixed(2)}`;
    console.log(`${work.padEnd(24)}${name.padEnd(20)}${figures}  ${(100 * ratio - 100).toFixed(0).padStart(4)} %`);
  }
}

function byYardstick(middle: (field: keyof Cost) => number, factor: number): string {
  const [bpf, cpu] = [middle("bpfUsPerExchange") * factor, middle("cpuUsPerExchange") * factor];
  return `${bpf.toFixed(2)} µs, ${cpu.toFixed(2)} µs`;
}

function percentOf({ alone, profiled }: { alone: number; profiled: number }): string {
  return `${((100 * profiled) / alone).toFixed(1)} % of alone`;
}

function print(rows: readonly Row[]): void {
  for (const [what, value, limit] of rows) console.log(`${what.padEnd(44)}${value.padStart(24)}    ${limit}`);
}
