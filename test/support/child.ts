import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { onCleanup } from "./cleanup.ts";
import { until } from "./until.ts";

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A process that a test started, with all it printed. It is killed after the test if it still runs. */
export interface Child {
  readonly pid: number;
  readonly stdoutLines: readonly string[];
  readonly stderr: () => string;
  readonly exited: Promise<Exit>;
  readonly isRunning: () => boolean;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Signals it and waits for its end. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<Exit>;
  /** Writes a line to its stdin and waits for the next line of stdout that matches. */
  readonly ask: (line: string, pattern: RegExp, timeoutMs?: number) => Promise<RegExpExecArray>;
  /** Waits for a line of stdout, from the first on. */
  readonly line: (pattern: RegExp, timeoutMs?: number) => Promise<RegExpExecArray>;
}

export function startChild(command: string, args: readonly string[], options: ChildOptions = {}): Child {
  const child = spawn(command, args, { ...options, env: { ...process.env, ...options.env } });
  const name = [command, ...args].join(" ");
  const stdoutLines: string[] = [];
  let stderr = "";
  let startError: Error | null = null;
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  child.stdin.on("error", () => {});
  createInterface({ input: child.stdout }).on("line", (line) => stdoutLines.push(line));
  child.on("error", (error) => {
    startError = error;
  });
  const exited = whenClosed(child);
  const isRunning = () => child.exitCode === null && child.signalCode === null && startError === null;
  const stop = (signal: NodeJS.Signals = "SIGTERM") => {
    if (isRunning()) child.kill(signal);
    return exited;
  };
  onCleanup(() => end(stop, exited));

  const lineAfter = (skipped: number, pattern: RegExp, timeoutMs?: number) => {
    const find = () => {
      const match = firstMatch(stdoutLines, skipped, pattern);
      if (!match && !isRunning()) throw startError ?? new Error(`${name} ended early:\n${stderr}`);
      return match;
    };
    return until(`a line ${pattern} of ${name}`, find, timeoutMs);
  };

  return {
    pid: child.pid ?? 0,
    stdoutLines,
    stderr: () => stderr,
    exited,
    isRunning,
    signal: (signal) => child.kill(signal),
    stop,
    ask: (line, pattern, timeoutMs) => {
      const skipped = stdoutLines.length;
      child.stdin.write(`${line}\n`);
      return lineAfter(skipped, pattern, timeoutMs);
    },
    line: (pattern, timeoutMs) => lineAfter(0, pattern, timeoutMs),
  };
}

/** Runs it to its end. */
export async function runChild(command: string, args: readonly string[], options: ChildOptions = {}) {
  const child = startChild(command, args, options);
  const { code, signal } = await child.exited;
  return { code, signal, stdout: child.stdoutLines.join("\n"), stderr: child.stderr() };
}

/** SIGTERM first, so that it can end its own children; SIGKILL for one that is stuck or stopped. */
async function end(stop: Child["stop"], exited: Promise<Exit>): Promise<void> {
  const timer = setTimeout(() => stop("SIGKILL"), 3000);
  stop("SIGTERM");
  await exited;
  clearTimeout(timer);
}

function whenClosed(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal }));
    child.on("error", () => child.pid ?? resolve({ code: null, signal: null }));
  });
}

function firstMatch(lines: readonly string[], skipped: number, pattern: RegExp): RegExpExecArray | null {
  for (const line of lines.slice(skipped)) {
    const match = pattern.exec(line);
    if (match) return match;
  }
  return null;
}
