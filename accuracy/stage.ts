/** A thread on which one server meets its clients: it tells each row, and ends what it has started when it is told to. */
import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { runCleanups } from "../test/support/cleanup.ts";
import { clients } from "./clients/index.ts";
import { measure, openStage } from "./measure.ts";
import { failedRow } from "./row.ts";
import { servers } from "./servers/index.ts";

interface Job {
  readonly server: string;
  readonly clients: readonly string[];
  readonly recordings: string | undefined;
}

const job = workerData as Job;
let isEnding = false;
parentPort!.on("message", () => void end());

const done = run();
await done;
parentPort!.close();

async function run(): Promise<void> {
  try {
    const stage = await openStage(servers.find(({ name }) => name === job.server)!);
    for (const client of clients.filter(({ name }) => job.clients.includes(name))) {
      const row = await measure(stage, client, job.recordings);
      if (isEnding) return;
      parentPort!.postMessage(row);
    }
  } catch (error) {
    if (!isEnding) parentPort!.postMessage(failedRow(job.server, "all", error as Error));
  } finally {
    await runCleanups();
  }
}

/** What is under way fails, and may start something before it does. */
async function end(): Promise<void> {
  isEnding = true;
  do await runCleanups().catch(() => {});
  while (!(await Promise.race([done.then(() => true), sleep(50)])));
}
