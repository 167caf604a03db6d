import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { startChild } from "../test/support/child.ts";
import type { Nginx } from "../test/support/nginx.ts";
import { until } from "../test/support/until.ts";
import { enableBpfStats } from "./bpf-stats.ts";
import { childrenOf, cpuNs } from "./process-cost.ts";
import { runLoad } from "./work.ts";

/** tshark's HTTP statistics: user CPU of tshark and of the dumpcap that it starts, per exchange, in µs. */
export async function measureTshark(nginx: Nginx, exchanges: number): Promise<number> {
  const tshark = startChild("tshark", ["-i", "lo", "-f", `tcp port ${nginx.port}`, "-q", "-z", "http,tree"]);
  await until("tshark captures", () => tshark.stderr().includes("Capturing"));
  await sleep(500);
  const cpu = () => [tshark.pid, ...childrenOf(tshark.pid)].reduce((total, pid) => total + cpuNs(pid), 0);
  const before = cpu();
  await runLoad(nginx, exchanges);
  await untilIdle(cpu);
  const time = cpu() - before;
  await tshark.stop("SIGINT");
  return time / exchanges / 1000;
}

/** A bpftrace script that only counts and keeps a histogram of durations: kernel time per exchange, in µs. */
export async function measureBpftrace(nginx: Nginx, exchanges: number): Promise<number> {
  enableBpfStats();
  const before = new Set(programs().map(({ id }) => id));
  const bpftrace = startChild("unshare", ["--mount", "sh", "-c", withTracefs, countingScript]);
  await until("bpftrace is attached", () => bpftrace.stdoutLines.some((line) => line.startsWith("Attaching")), 20_000);
  await sleep(1000);
  const its = () => programs().filter(({ id }) => !before.has(id));
  const time = () => its().reduce((total, program) => total + (program.run_time_ns ?? 0), 0);
  const start = time();
  await runLoad(nginx, exchanges);
  const spent = time() - start;
  await bpftrace.stop("SIGINT");
  return spent / exchanges / 1000;
}

/** bpftrace needs tracefs where debugfs has it; mounted for it alone. */
const withTracefs = `
mount -t debugfs none /sys/kernel/debug
mount -t tracefs none /sys/kernel/debug/tracing
exec bpftrace -B line -e "$0"`;

const countingScript = `
tracepoint:syscalls:sys_exit_recvfrom /comm == "nginx" && args->ret > 0/ { @start[tid] = nsecs; }
tracepoint:syscalls:sys_exit_writev /comm == "nginx" && args->ret > 0/ {
  @requests = count();
  @us = hist((nsecs - @start[tid]) / 1000);
  delete(@start[tid]);
}`;

function programs(): { id: number; run_time_ns?: number }[] {
  return JSON.parse(execFileSync("bpftool", ["-j", "prog", "show"], { encoding: "utf8" }));
}

async function untilIdle(cpu: () => number): Promise<void> {
  for (let last = -1; cpu() - last > 5e6; await sleep(500)) last = cpu();
}
