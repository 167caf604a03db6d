/**
 * Every server with every client that it can serve: one table. Exit code 1 if a row is wrong. Ended by a signal it ends
 * what it has started, too.
 */
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { runCleanups } from "../test/support/cleanup.ts";
import { inRepo } from "../test/support/paths.ts";
import type { ClientDescription } from "./client.ts";
import { clients } from "./clients/index.ts";
import { documentOf } from "./document.ts";
import { measure, openStage } from "./measure.ts";
import type { Row } from "./row.ts";
import type { ServerDescription } from "./server.ts";
import { servers } from "./servers/index.ts";
import { isWrong, lineOf, summaryOf, tableOf } from "./table.ts";

const { values } = parseArgs({
  options: {
    server: { type: "string", default: "" },
    client: { type: "string", default: "" },
    write: { type: "boolean", default: false },
    record: { type: "string" },
  },
});

let isEnding = false;
const done = main();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => endBy(signal));
await done;

async function main(): Promise<void> {
  const rows: Row[] = [];
  for (const server of servers.filter(({ name }) => name.includes(values.server))) {
    const fitting = clients.filter((client) => isPair(server, client));
    if (fitting.length > 0 && !isEnding) rows.push(...(await rowsOf(server, fitting)));
  }
  if (isEnding) return;
  console.log(`\n${tableOf(rows)}\n\n${summaryOf(rows)}`);
  if (values.write) writeFileSync(inRepo("docs/ACCURACY.md"), documentOf(rows, process.argv.slice(2).join(" ")));
  process.exitCode = rows.length === 0 || rows.some(isWrong) ? 1 : 0;
}

/** Ends what was started, and what the pair under way still starts. */
async function endBy(signal: NodeJS.Signals): Promise<void> {
  isEnding = true;
  const ended = done.then(
    () => true,
    () => true,
  );
  do await runCleanups().catch(() => {});
  while (!(await Promise.race([ended, sleep(50)])));
  process.kill(process.pid, signal);
}

async function rowsOf(server: ServerDescription, fitting: readonly ClientDescription[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  try {
    const stage = await openStage(server);
    for (const client of fitting) {
      if (isEnding) break;
      const row = await measure(stage, client, values.record);
      console.log(lineOf(row));
      rows.push(row);
    }
  } finally {
    await runCleanups();
  }
  return rows;
}

function isPair(server: ServerDescription, { name, needs = [], canTls }: ClientDescription): boolean {
  if (server.isTls && !canTls) return false;
  return name.includes(values.client) && needs.every((ability) => server.abilities.includes(ability));
}
