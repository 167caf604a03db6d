import { setTimeout as sleep } from "node:timers/promises";
import type { EdgeProfile } from "../../src/core/profile/edge.ts";
import type { Side } from "../../src/core/profile/parties.ts";
import type { Sample } from "../../src/core/profile/sample.ts";
import type { Summary } from "../../src/core/profile/window.ts";
import { type BpfProgram, l7profPrograms, untilProgramsAreGone } from "./bpf.ts";
import { type Child, type ChildOptions, runChild, startChild } from "./child.ts";
import { inRepo, root } from "./paths.ts";
import { until } from "./until.ts";

/** One line of --json. */
export type Line =
  | { readonly type: "start" | "metrics"; readonly [field: string]: unknown }
  | ({ readonly type: "sample" } & Sample)
  | ({ readonly type: "warning" } & WarningLine)
  | ({ readonly type: "summary" } & Summary);

export interface WarningLine {
  readonly time: string;
  readonly code: string;
  readonly message: string;
}

export interface Result {
  readonly code: number | null;
  readonly lines: readonly Line[];
  /** Throws if the run gave none. */
  readonly summary: Summary;
  readonly samples: readonly Sample[];
  readonly warnings: readonly WarningLine[];
  readonly stderr: string;
}

/** A live run with --json that captures already. */
export interface Run extends Child {
  readonly lines: () => readonly Line[];
  readonly waitFor: (isIt: (line: Line) => boolean, timeoutMs?: number) => Promise<Line>;
  /** Ends it with Ctrl-C unless it ends by itself, and gives what it printed; no BPF program may be left. */
  readonly finish: (signal?: NodeJS.Signals) => Promise<Result>;
  /** Waits for an end that it comes to by itself. */
  readonly finished: () => Promise<Result>;
}

/** A server's last call may return a moment after its client has read the answer. */
const settleMs = 50;

/** The verifier takes half a second of CPU, which a busy machine may not have at once. */
const startMs = 60_000;

const binary = inRepo("bin/l7prof.js");

/** Raw URIs and the summary alone: what most tests compare. */
export const exactly = ["--raw-uris", "--interval", "0"] as const;

export async function startL7prof(args: readonly string[], options: ChildOptions = {}): Promise<Run> {
  const before = l7profPrograms();
  const child = startChild("node", [binary, "--json", ...args], options);
  await child.line(/^\{"type":"start"/, startMs);
  const lines = () => parseLines(child.stdoutLines);
  const finished = () => result(child, before);
  return {
    ...child,
    lines,
    waitFor: (isIt, timeoutMs) => until("that line of l7prof", () => lines().find(isIt), timeoutMs),
    finish: async (signal = "SIGINT") => {
      await sleep(settleMs);
      child.signal(signal);
      return finished();
    },
    finished,
  };
}

/** Profiles while `work` is done, and gives what l7prof saw of it. */
export async function profile(args: readonly string[], work: () => Promise<unknown>): Promise<Result> {
  const run = await startL7prof([...exactly, ...args]);
  await work();
  return run.finish();
}

/** Runs it to its end with these arguments alone. */
export function l7prof(args: readonly string[], options: ChildOptions = {}) {
  return runChild("node", [binary, ...args], options);
}

/** The same as a user without rights, who sees the checkout as /mnt, since it may lie where only root may look. */
export function l7profAsNobody(args: readonly string[]) {
  const asNobody = "setpriv --reuid=65534 --regid=65534 --clear-groups";
  const commandLine = `mount --bind "$0" /mnt && exec ${asNobody} node /mnt/bin/l7prof.js "$@"`;
  return runChild("unshare", ["--mount", "sh", "-c", commandLine, root, ...args]);
}

/** Of `capture`, when every message was seen and had its answer. */
export const nothingMissed = {
  lostEvents: 0,
  unansweredRequests: 0,
  orphanResponses: 0,
  unparsedMessages: 0,
  coverage: 1,
};

export function edgesOf({ edges }: Summary, side: Side, pids?: readonly number[]): readonly EdgeProfile[] {
  return edges.filter((edge) => edge.side === side && (pids?.includes(edge.process.pid) ?? true));
}

export function parseLines(text: readonly string[]): readonly Line[] {
  return text.filter(Boolean).map((line) => JSON.parse(line) as Line);
}

async function result(child: Child, before: readonly BpfProgram[]): Promise<Result> {
  const { code } = await child.exited;
  await untilProgramsAreGone(before);
  const lines = parseLines(child.stdoutLines);
  return {
    code,
    lines,
    get summary() {
      const summary = lines.find((line) => line.type === "summary");
      if (!summary) throw new Error(`no summary; exit ${code}, stderr:\n${child.stderr()}`);
      return summary as Summary;
    },
    samples: lines.filter((line) => line.type === "sample") as unknown as Sample[],
    warnings: lines.filter((line) => line.type === "warning") as unknown as WarningLine[],
    stderr: child.stderr(),
  };
}
