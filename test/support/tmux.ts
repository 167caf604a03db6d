import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { onCleanup } from "./cleanup.ts";
import { inRepo } from "./paths.ts";
import { until } from "./until.ts";

export interface ScreenOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** l7prof in a real terminal: what a user types, and what stands there. */
export interface Screen {
  /** The keys of tmux send-keys, one after the other. */
  readonly keys: (...keys: readonly string[]) => void;
  /** The lines of the terminal as they are now. */
  readonly lines: () => readonly string[];
  /** Waits until the screen looks like that, and gives its lines. */
  readonly until: (pattern: RegExp, timeoutMs?: number) => Promise<readonly string[]>;
  readonly resize: (columns: number, rows: number) => void;
  /** Of l7prof. */
  readonly pid: () => number;
  readonly isAlternate: () => boolean;
  readonly isCursorShown: () => boolean;
  /** Of the terminal, as `stty -a` says them. */
  readonly settings: () => string;
  /** What l7prof exited with, once it has, and all that stands before that on the normal screen. */
  readonly exited: () => Promise<{ readonly code: number; readonly lines: readonly string[] }>;
}

/** The shell is still there when l7prof has ended, as a user's is. */
const SCRIPT = 'echo before; "$@"; code=$?; echo "exit $code"; read -r _';

/** `tmux` with a server of its own; l7prof has drawn its first frame when it resolves. */
export async function startScreen(args: readonly string[], options: ScreenOptions = {}): Promise<Screen> {
  const screen = openScreen(args, options);
  await screen.until(/l7prof|CPM|waiting for/);
  await until("the alternate screen", screen.isAlternate);
  return screen;
}

export function openScreen(args: readonly string[], options: ScreenOptions = {}): Screen {
  const { columns = 80, rows = 24, env = {}, cwd } = options;
  const socket = `l7prof-${randomUUID()}`;
  const tmux = (...words: readonly string[]) =>
    execFileSync("tmux", ["-L", socket, "-f", "/dev/null", ...words], {
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C.UTF-8" },
    });
  const size = (x: number, y: number) => ["-x", `${x}`, "-y", `${y}`];
  const settings = Object.entries(env).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
  const command = ["bash", "-c", SCRIPT, "bash", "node", inRepo("bin/l7prof.js"), ...args];
  tmux("new-session", "-d", ...size(columns, rows), ...settings, ...(cwd === undefined ? [] : ["-c", cwd]), ...command);
  tmux("set-option", "-g", "remain-on-exit", "on");
  onCleanup(() => {
    try {
      tmux("kill-server");
    } catch {} // it is gone already
  });
  const ask = (format: string) => tmux("display-message", "-p", format).trim();
  const captured = (...more: readonly string[]) =>
    tmux("capture-pane", "-p", ...more)
      .replace(/\n$/, "")
      .split("\n");
  const pid = () => childOf(Number(ask("#{pane_pid}")));
  // Twice the same: a frame may have been written half when it is looked at.
  const lookFor = (pattern: RegExp, timeoutMs?: number) => {
    let before = "";
    return until(
      `${pattern} on the screen`,
      () => {
        const lines = captured();
        const text = lines.join("\n");
        const isSettled = text === before;
        before = text;
        return isSettled && pattern.test(text) && lines;
      },
      timeoutMs,
    ).catch((error: Error) => {
      throw new Error(`${error.message}; there stands:\n${captured().join("\n")}`);
    });
  };
  return {
    keys: (...keys) => void tmux("send-keys", ...keys),
    lines: () => captured(),
    until: lookFor,
    resize: (x, y) => void tmux("resize-window", ...size(x, y)),
    pid,
    isAlternate: () => ask("#{alternate_on}") === "1",
    isCursorShown: () => ask("#{cursor_flag}") === "1",
    settings: () => execFileSync("stty", ["-a", "-F", ask("#{pane_tty}")], { encoding: "utf8" }),
    exited: async () => {
      const all = await until("l7prof's end", () => {
        const lines = captured("-S", "-2000");
        return lines.some((line) => EXIT.test(line)) && lines;
      });
      const at = all.findLastIndex((line) => EXIT.test(line));
      return { code: Number(EXIT.exec(all[at]!)?.[1]), lines: all.slice(0, at) };
    },
  };
}

const EXIT = /^exit (\d+)$/;

function childOf(pid: number): number {
  return Number(execFileSync("pgrep", ["-n", "-P", `${pid}`, "-x", "node"], { encoding: "utf8" }));
}
