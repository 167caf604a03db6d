/** argv → what to do, checked. Pure but for package.json: it reads no environment and prints nothing. */
import type { Config } from "../config.ts";
import { UserError } from "../errors.ts";
import { type Terminal, useColor } from "./color.ts";
import { readCommandLine } from "./command-line.ts";
import { configOf } from "./config-of.ts";
import { checkConflicts } from "./conflicts.ts";

export type Action =
  | { readonly kind: "run"; readonly config: Config }
  | { readonly kind: "doctor"; readonly json: boolean; readonly color: boolean; readonly pids: number[] }
  /** --help and --version. */
  | { readonly kind: "print"; readonly text: string };

/** Throws UserError with exit code 2. */
export function parse(argv: readonly string[], terminal: Terminal): Action {
  const [words, command] = splitCommand(argv);
  const parsed = readCommandLine(words, terminal.columns ?? 80);
  if (typeof parsed === "string") return { kind: "print", text: parsed };
  const { kind, flags, given } = parsed;
  checkConflicts(kind, command ? new Set([...given, "--"]) : given);
  if (kind !== "doctor") return { kind: "run", config: configOf(parsed, command, terminal) };
  const color = useColor(terminal, flags.color && !flags.json);
  return { kind, json: flags.json ?? false, color, pids: [...(flags.pid ?? [])] };
}

/** Cut off before commander, which would take `-- CMD` for arguments of its own. */
function splitCommand(argv: readonly string[]): readonly [words: readonly string[], command: readonly string[] | null] {
  const at = argv.indexOf("--");
  if (at === -1) return [argv, null];
  if (at < argv.length - 1) return [argv.slice(0, at), argv.slice(at + 1)];
  throw new UserError("missing-command", "there is no command after --", "write it: l7prof -- CMD ARG…", {
    exitCode: 2,
  });
}
