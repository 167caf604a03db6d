/** One pair: the client does its work on the server while three l7profs look, each from its own side. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { threadId } from "node:worker_threads";
import { createCgroup } from "../test/support/cgroup.ts";
import { withoutInterim } from "./account.ts";
import { type ClientDescription, prepareClient, runClient } from "./client.ts";
import { startView } from "./l7prof.ts";
import { failedRow, type Row, rowOf } from "./row.ts";
import { type RunningServer, type ServerDescription, startServer } from "./server.ts";
import { accountOfWork } from "./work.ts";

/** A server that runs, in a cgroup that its clients join. */
export interface Stage {
  readonly server: RunningServer;
  readonly cgroup: ReturnType<typeof createCgroup>;
}

/** Where a client pipelines, no pair is sure on a connection that was open before until it was quiet for a second. */
const PAUSE_MS = 1100;

let stages = 0;

export async function openStage(description: ServerDescription): Promise<Stage> {
  const cgroup = createCgroup(`accuracy-${threadId}-${stages++}`);
  return { cgroup, server: await startServer(description, cgroup.add) };
}

/** What goes wrong is a wrong row, not the end. */
export function measure(stage: Stage, client: ClientDescription, recordings?: string): Promise<Row> {
  return run(stage, client, recordings).catch((error: Error) =>
    failedRow(stage.server.description.name, client.name, error),
  );
}

async function run({ server, cgroup }: Stage, description: ClientDescription, recordings?: string): Promise<Row> {
  await server.discardLog(); // what a pair has left that failed
  const prepared = await prepareClient(description, server, cgroup.add);
  const { task, gated } = prepared;
  if (task.before > 0) await server.logs(task.before); // which do not count
  const pair = `${server.description.name} - ${description.name}`.replaceAll(/[^\w-]+/g, "_");
  const recordAs = (view: string) => (recordings ? ["--record", join(recordings, `${pair}.${view}.l7prof`)] : []);
  const [fromServer, fromClient, fromBoth] = await Promise.all([
    startView(["--pid", `${server.pid}`], recordAs("server")),
    startView(["--pid", `${gated.child.pid}`], ["--keep", "none", ...recordAs("client")]),
    startView(["--cgroup", cgroup.directory], ["--keep", "request", ...recordAs("both")]),
  ]);
  if (task.before > 0 && description.isPipelining) await sleep(PAUSE_MS);
  const client = await runClient(prepared);
  const { log, originLog } = await server.logs(client.exchanges.length);
  const views = {
    server: await fromServer.finish(),
    client: await fromClient.finished(), // its target has ended, and so does it
    both: await fromBoth.finish(),
  };
  const isInterimCounted = description.hasInterim && server.description.log.countsInterim;
  return rowOf({
    server: server.description.name,
    protocol: server.description.isTls ? "https" : "http",
    joined: description.joined?.connections ?? 0,
    isPipelining: description.isPipelining ?? false,
    work: accountOfWork(task.requests.slice(task.before)),
    client,
    log: isInterimCounted ? withoutInterim(log) : log,
    originLog,
    closesUnannounced: server.description.closesUnannounced ?? false,
    views,
  });
}
