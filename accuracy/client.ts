/** A client under test: what it is to do, and what it says that it did. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../test/support/paths.ts";
import { type Account, withoutInterim } from "./account.ts";
import { type Gated, startGated } from "./gate.ts";
import { makePipe, runToPipe } from "./pipe.ts";
import type { RunningServer } from "./server.ts";
import type { Ability, Request } from "./work.ts";

const MAX_RUN_MS = 60_000;

export interface Task {
  /** `http://127.0.0.1:PORT` or `https://127.0.0.1:PORT`, with a certificate that nobody vouches for */
  readonly base: string;
  readonly port: number;
  /** Its own, for what it needs or writes. */
  readonly directory: string;
  readonly requests: readonly Request[];
  /** So many of them it does before it reads its pipe; 0: it has none. */
  readonly before: number;
}

export interface ClientDescription {
  readonly name: string;
  /** What the server must be able to do, or it is no pair. */
  readonly needs?: readonly Ability[];
  readonly requests: (abilities: readonly Ability[]) => readonly Request[];
  /** So many of them it does before l7prof looks (pipe.ts), on so many connections that then stay open. */
  readonly joined?: { readonly before: number; readonly connections: number };
  /** It can also speak HTTPS, or nothing else; it is told by the base. */
  readonly canTls?: boolean | "only";
  /** Its requests wait behind others on their connection: what a duration is, depends on who counts it. */
  readonly isPipelining?: boolean;
  /** Every answer has an interim response before it. */
  readonly hasInterim?: boolean;
  readonly command: (task: Task) => readonly string[];
  /** Files that it needs in its directory, by name. */
  readonly files?: (task: Task) => Readonly<Record<string, string | Buffer>>;
  /** What it counted itself. */
  readonly account: (output: ClientOutput, task: Task) => Omit<Account, "by">;
}

export interface ClientOutput {
  readonly lines: readonly string[];
  readonly stderr: string;
}

export interface PreparedClient {
  readonly description: ClientDescription;
  readonly task: Task;
  readonly gated: Gated;
  /** From its start, or from its pipe. */
  readonly release: () => Promise<void>;
}

/** `enter` gets its process before it runs. */
export async function prepareClient(
  description: ClientDescription,
  { place, description: server }: RunningServer,
  enter: (pid: number) => void,
): Promise<PreparedClient> {
  const directory = temporaryDirectory();
  const requests = description.requests(server.abilities);
  const base = `${server.isTls ? "https" : "http"}://127.0.0.1:${place.port}`;
  const before = description.joined?.before ?? 0;
  const task: Task = { base, port: place.port, directory, requests, before };
  writeFileSync(join(directory, "requests.json"), JSON.stringify(requests));
  for (const [name, content] of Object.entries(description.files?.(task) ?? {}))
    writeFileSync(join(directory, name), content);
  const gated = await startGated(description.command(task), { cwd: directory });
  enter(gated.child.pid);
  if (before === 0) return { description, task, gated, release: gated.release };
  makePipe(directory);
  return { description, task, gated, release: await runToPipe(gated, directory) };
}

export async function runClient({ description, task, gated, release }: PreparedClient): Promise<Account> {
  await release();
  const timer = setTimeout(() => gated.child.stop("SIGKILL"), MAX_RUN_MS);
  const { code } = await gated.child.exited;
  clearTimeout(timer);
  const stderr = gated.child.stderr();
  if (code !== 0) throw new Error(`${description.name} ended with ${code}:\n${stderr}${gated.output().join("\n")}`);
  const said = description.account({ lines: gated.output(), stderr }, task);
  const account = { ...said, by: description.name, exchanges: said.exchanges.slice(task.before) };
  return description.hasInterim ? withoutInterim(account) : account;
}
