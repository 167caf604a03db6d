/**
 * `npm run bench -- --scale [CONNECTIONS]`: what many connections cost. The same exchanges over 10, 1,000 and 20,000
 * open connections; a million connections with one exchange each; requests that nobody answers.
 */
import { fileURLToPath } from "node:url";
import { programsOf } from "../test/support/bpf.ts";
import { type Child, runChild, startChild } from "../test/support/child.ts";
import { runCleanups } from "../test/support/cleanup.ts";
import { type Result, type Run, startL7prof } from "../test/support/l7prof.ts";
import { type Nginx, startNginx } from "../test/support/nginx.ts";
import { until } from "../test/support/until.ts";
import { enableBpfStats } from "./bpf-stats.ts";
import { bpfNs } from "./l7prof-cost.ts";
import { cpuNs, peakMiB, residentMiB } from "./process-cost.ts";

const ADDRESSES = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"];
const LEVELS = [10, 1000, 20_000];
const EXCHANGES = 100_003;
/** Client processes, since one may have too few file descriptors. */
const CLIENTS = 4;
const SHORT_PARTS = 4;
const UNANSWERED = 5003;
const WORK_TIMEOUT_MS = 300_000;

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    await runCleanups();
    process.exit(130);
  });
}
try {
  await main(Number(process.argv[3] ?? 1_000_000));
} finally {
  await runCleanups();
}

async function main(shortConnections: number): Promise<void> {
  enableBpfStats();
  const nginx = await startNginx({ log: false, addresses: ADDRESSES, connections: 32_768 });
  console.log(`${EXCHANGES} GETs, 8 at a time, over so many open connections in turn, nginx profiled\n`);
  row(["connections", "counted", "lost", "BPF/exchange", "CPU/exchange", "RSS open", "RSS after", "peak"]);
  for (const connections of LEVELS) await measureLevel(nginx, connections);

  console.log(`\n${shortConnections} connections with one exchange each (ab -c 16), in ${SHORT_PARTS} parts\n`);
  row(["connections", "counted", "lost", "BPF/exchange", "CPU/exchange", "RSS"]);
  await measureShort(nginx, Math.ceil(shortConnections / SHORT_PARTS));

  console.log(`\n${UNANSWERED} connections whose request nobody answers\n`);
  row(["", "in flight", "unanswered", "RSS"]);
  await measureUnanswered();
}

async function measureLevel(nginx: Nginx, connections: number): Promise<void> {
  const run = await startL7prof(["--raw-uris", "--interval", "1s", "--pid", `${nginx.pid}`]);
  const crowd = await startCrowd(nginx.port, ADDRESSES);
  await crowd.tell("open", connections);
  await crowd.tell("get", connections); // each is known from here on
  await settle(run, connections);
  const openMiB = residentMiB(run.pid);
  const cost = await costOf(run, EXCHANGES, async () => {
    await crowd.tell("get", EXCHANGES);
    await settle(run, EXCHANGES + connections);
  });
  const [afterMiB, peak] = [residentMiB(run.pid), peakMiB(run.pid)];
  await crowd.tell("close");
  const { summary } = await run.finish();
  const counted = exact(summary, EXCHANGES + connections);
  row([connections, counted, summary.capture.lostEvents, ...cost, mib(openMiB), mib(afterMiB), mib(peak)]);
}

async function measureShort(nginx: Nginx, connections: number): Promise<void> {
  const run = await startL7prof(["--raw-uris", "--interval", "1s", "--pid", `${nginx.pid}`]);
  for (let part = 1; part <= SHORT_PARTS; part++) {
    const cost = await costOf(run, connections, async () => {
      const url = `http://127.0.0.1:${nginx.port}/hello`;
      const { code, stderr } = await runChild("ab", ["-q", "-c", "16", "-n", `${connections}`, url]);
      if (code !== 0) throw new Error(`ab failed: ${stderr}`);
      await settle(run, part * connections);
    });
    row([part * connections, exchangesOf(run), "", ...cost, mib(residentMiB(run.pid))]);
  }
  const { summary } = await run.finish();
  row(["in all", exact(summary, SHORT_PARTS * connections), summary.capture.lostEvents]);
}

async function measureUnanswered(): Promise<void> {
  const server = startChild("node", [fileURLToPath(new URL("silent-server.js", import.meta.url))]);
  const [, port] = await server.line(/^ready (\d+)/);
  const run = await startL7prof(["--raw-uris", "--interval", "1s", "--pid", `${server.pid}`]);
  const crowd = await startCrowd(Number(port), ["127.0.0.1"]);
  await crowd.tell("open", UNANSWERED);
  await crowd.tell("ask");
  const waiting = await until("all requests are seen", () => {
    const { inFlight, unanswered } = waitingOf(run);
    return inFlight >= UNANSWERED && { inFlight, unanswered };
  });
  row(["asked", waiting.inFlight, waiting.unanswered, mib(residentMiB(run.pid))]);
  await crowd.tell("close");
  const closed = await until("all are closed", () => {
    const { inFlight, unanswered } = waitingOf(run);
    return inFlight === 0 && { inFlight, unanswered };
  });
  row(["closed", closed.inFlight, closed.unanswered, mib(residentMiB(run.pid))]);
  const { summary } = await run.finish();
  if (summary.capture.unansweredRequests !== UNANSWERED) throw new Error(`${UNANSWERED} were unanswered`);
}

interface Crowd {
  /** All do it; a count is shared out among them. */
  readonly tell: (command: string, count?: number) => Promise<void>;
}

async function startCrowd(port: number, addresses: readonly string[]): Promise<Crowd> {
  const program = fileURLToPath(new URL("crowd-client.js", import.meta.url));
  const clients = Array.from({ length: CLIENTS }, () => startChild("node", [program, `${port}`, ...addresses]));
  await Promise.all(clients.map((client) => client.line(/^ready/)));
  return {
    tell: async (command, count = 0) => {
      const shares = clients.map((_, i) => Math.floor((count + i) / CLIENTS));
      await Promise.all(clients.map((client, i) => askFor(client, `${command} ${shares[i]}`)));
      if (command === "close") await Promise.all(clients.map((client) => client.stop()));
    },
  };
}

async function askFor(client: Child, line: string): Promise<void> {
  await client.ask(line, new RegExp(`^done ${line}$`), WORK_TIMEOUT_MS);
}

/** BPF and CPU time per exchange of what `work` does. */
async function costOf(run: Run, exchanges: number, work: () => Promise<void>): Promise<[bpf: string, cpu: string]> {
  const its = new Set(programsOf(run.pid));
  const [bpfBefore, cpuBefore] = [bpfNs(its), cpuNs(run.pid)];
  await work();
  const us = (ns: number) => `${(ns / exchanges / 1000).toFixed(2)} µs`;
  return [us(bpfNs(its) - bpfBefore), us(cpuNs(run.pid) - cpuBefore)];
}

/** Waits until l7prof has said that it counted so many. */
async function settle(run: Run, exchanges: number): Promise<void> {
  await until(`${exchanges} exchanges are counted`, () => exchangesOf(run) >= exchanges, 15_000);
}

function exchangesOf(run: Run): number {
  const last = run.lines().findLast(({ type }) => type === "metrics") as unknown as Result["summary"] | undefined;
  return last?.capture.exchanges ?? 0;
}

function waitingOf(run: Run): { inFlight: number; unanswered: number } {
  const last = run.lines().findLast(({ type }) => type === "metrics") as unknown as Result["summary"] | undefined;
  const inFlight = last?.edges.reduce((sum, edge) => sum + edge.inFlight, 0) ?? 0;
  return { inFlight, unanswered: last?.capture.unansweredRequests ?? 0 };
}

/** Throws if they are not exactly so many. */
function exact({ capture, edges }: Result["summary"], exchanges: number): number {
  const counted = edges.reduce((sum, edge) => sum + edge.requests, 0);
  if (counted !== exchanges || capture.lostEvents > 0)
    throw new Error(`${counted} counted of ${exchanges}, ${capture.lostEvents} events lost`);
  return counted;
}

function mib(size: number): string {
  return `${size.toFixed(0)} MiB`;
}

function row(cells: readonly (string | number)[]): void {
  console.log(cells.map((cell) => `${cell}`.padStart(13)).join(" "));
}
