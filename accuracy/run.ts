/**
 * Every server with every client that it can serve: one table. Exit code 1 if a row is wrong. Each server is tried on a
 * thread of its own, `--jobs` of them beside each other. Ended by a signal it ends what it has started, too.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { inRepo } from "../test/support/paths.ts";
import type { ClientDescription } from "./client.ts";
import { clients } from "./clients/index.ts";
import { documentOf } from "./document.ts";
import type { Row } from "./row.ts";
import type { ServerDescription } from "./server.ts";
import { servers } from "./servers/index.ts";
import { isWrong, lineOf, summaryOf, tableOf } from "./table.ts";

const { values } = parseArgs({
  options: {
    server: { type: "string", default: "" },
    client: { type: "string", default: "" },
    jobs: { type: "string", default: "1" },
    write: { type: "boolean", default: false },
    /** What an earlier run of the same options has found of a server is taken over. */
    resume: { type: "boolean", default: false },
    record: { type: "string" },
  },
});

const running = new Set<Worker>();
let endedBy: NodeJS.Signals | null = null;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => endBy(signal));

const chosen = servers.filter((server) => server.name.includes(values.server) && fitting(server).length > 0);
const found = new Map<string, readonly Row[]>();
const waiting = [...chosen];
await Promise.all(Array.from({ length: Number(values.jobs) }, lane));
if (endedBy !== null) process.kill(process.pid, endedBy);
else finish(chosen.flatMap(({ name }) => found.get(name) ?? []));

async function lane(): Promise<void> {
  for (let server = waiting.shift(); server !== undefined && endedBy === null; server = waiting.shift()) {
    const file = fileOf(server);
    const rows = values.resume && existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : await rowsOf(server);
    found.set(server.name, rows);
    if (endedBy === null) writeFileSync(file, JSON.stringify(rows));
  }
}

function rowsOf(server: ServerDescription): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const workerData = { server: server.name, clients: fitting(server), recordings: values.record };
  const worker = new Worker(new URL("stage.js", import.meta.url), { workerData });
  running.add(worker);
  worker.on("message", (row: Row) => {
    console.log(lineOf(row));
    rows.push(row);
  });
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("exit", () => {
      running.delete(worker);
      resolve(rows);
    });
  });
}

function finish(rows: readonly Row[]): void {
  console.log(`\n${tableOf(rows)}\n\n${summaryOf(rows)}`);
  if (values.write) writeFileSync(inRepo("docs/ACCURACY.md"), documentOf(rows, process.argv.slice(2).join(" ")));
  process.exitCode = rows.length === 0 || rows.some(isWrong) ? 1 : 0;
}

function endBy(signal: NodeJS.Signals): void {
  endedBy = signal;
  for (const worker of running) worker.postMessage("end");
}

/** The names of the clients that the server can serve. */
function fitting(server: ServerDescription): readonly string[] {
  return clients.filter((client) => isPair(server, client)).map(({ name }) => name);
}

function isPair(server: ServerDescription, { name, needs = [], canTls }: ClientDescription): boolean {
  if (server.isTls ? !canTls : canTls === "only") return false;
  return name.includes(values.client) && needs.every((ability) => server.abilities.includes(ability));
}

function fileOf({ name }: ServerDescription): string {
  const directory = inRepo("tmp/accuracy/rows");
  mkdirSync(directory, { recursive: true });
  return join(directory, `${`${name} ${values.client}`.replaceAll(/[^\w-]+/g, "_")}.json`);
}
