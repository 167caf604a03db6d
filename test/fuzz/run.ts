/**
 * `npm run fuzz -- [SECONDS] [--seed SEED] [--only PART-OF-A-NAME]`: the properties of all.ts on other inputs each
 * time. Prints what was executed; a finding with its seed and its smallest input, and exits 1. The work is done on
 * another thread, so that one that hangs is a finding too.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import fc from "fast-check";
import { all } from "./all.ts";
import type { Fuzzed } from "./property.ts";

interface Job {
  readonly name: string;
  readonly seed: number;
  readonly untilMs: number;
  /** Executions so far, and the seed of the batch that runs; shared with who watches. */
  readonly progress: Int32Array;
}

type Outcome = { readonly kind: "finding"; readonly report: string } | { readonly kind: "done" };

const BATCH = 200;
const HANGS_AFTER_MS = 60_000;
const DEFAULT_SECONDS = 120;

if (isMainThread) await main();
else parentPort!.postMessage(await fuzz(workerData as Job));

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { seed: { type: "string" }, only: { type: "string" } },
    allowPositionals: true,
  });
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  const seconds = Number(positionals[0] ?? DEFAULT_SECONDS);
  const chosen = all.filter(({ name }) => name.includes(values.only ?? ""));
  if (!(seconds > 0) || !Number.isInteger(seed) || chosen.length === 0)
    throw new Error("fuzz [SECONDS] [--seed N] [--only NAME]");
  say(`${seconds} s, seed ${seed}`);
  const outcomes = await inParallel(chosen, (fuzzed) =>
    watched(fuzzed, seed, (seconds * 1000 * workers()) / chosen.length),
  );
  const findings = outcomes.filter((outcome) => outcome !== null);
  for (const finding of findings) say(`\n${finding}`);
  say(findings.length === 0 ? "no finding" : `${findings.length} findings`);
  process.exit(findings.length === 0 ? 0 : 1);
}

/** A property on a thread of its own; answers its finding. */
async function watched({ name }: Fuzzed, seed: number, durationMs: number): Promise<string | null> {
  const progress = new Int32Array(new SharedArrayBuffer(8));
  const job: Job = { name, seed, untilMs: Date.now() + durationMs, progress };
  const worker = new Worker(new URL(import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: 1024 },
  });
  const report = await Promise.race([ending(worker), hanging(progress)]);
  await worker.terminate();
  say(`${String(progress[0]).padStart(9)} executions  ${report === null ? "ok  " : "FAIL"} ${name}`);
  return report === null ? null : `${name}\n${report}`;
}

function ending(worker: Worker): Promise<string | null> {
  return new Promise((resolve) => {
    worker.once("message", (outcome: Outcome) => resolve(outcome.kind === "finding" ? outcome.report : null));
    worker.once("error", (error) => resolve(`the thread died: ${error}`));
  });
}

function hanging(progress: Int32Array): Promise<string> {
  let last = -1;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (progress[0] === last)
        resolve(`no progress for ${HANGS_AFTER_MS / 1000} s after ${last} executions, batch seed ${progress[1]}`);
      last = progress[0]!;
    }, HANGS_AFTER_MS);
    timer.unref();
  });
}

async function fuzz({ name, seed, untilMs, progress }: Job): Promise<Outcome> {
  const { property } = all.find((fuzzed) => fuzzed.name === name)!;
  for (let batch = seed; Date.now() < untilMs; batch = (batch + 1) | 0) {
    progress[1] = batch;
    const details = await fc.check(property(), { seed: batch, numRuns: BATCH });
    progress[0]! += details.numRuns;
    if (details.failed) {
      const input = fc.stringify(details.counterexample);
      const again = `seed ${batch}, path ${details.counterexamplePath}, shrunk ${details.numShrinks} times`;
      return { kind: "finding", report: `${again}\n${(details.errorInstance as Error)?.message}\ninput: ${input}` };
    }
  }
  return { kind: "done" };
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i]!);
  };
  await Promise.all(Array.from({ length: workers() }, lane));
  return results;
}

function workers(): number {
  return Math.max(1, Math.min(4, availableParallelism()));
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
