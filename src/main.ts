/**
 * The command line → what runs, and the one place where an error becomes an exit code: 0 finished, 1 it could not run
 * or went wrong, 2 the command line is wrong. Whatever the flags don't ask for is not imported.
 */
import { parse } from "./cli/parse.ts";
import { report } from "./cli/report.ts";
import type { Config } from "./config.ts";
import { UserError } from "./errors.ts";

/** The process's entry: `argv` without node and script. */
export async function start(argv: readonly string[]): Promise<void> {
  const fail = (error: unknown): never => process.exit(reported(error, argv));
  process.on("uncaughtException", fail);
  for (const stream of [process.stdout, process.stderr]) stream.on("error", (error) => onStreamError(error, fail));
  process.exitCode = await main(argv);
}

/** `| head -1`: once nobody reads there is nothing left to do, and the kernel takes the BPF programs down with us. */
function onStreamError(error: NodeJS.ErrnoException, fail: (error: unknown) => never): never {
  if (error.code === "EPIPE") process.exit(0);
  const fix =
    error.code === "ENOSPC" ? "free some space there" : "send the output somewhere else, or to a file with -o";
  return fail(
    new UserError("output-failed", `the output could not be written: ${error.message}`, fix, { cause: error }),
  );
}

/** The exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    return await act(argv);
  } catch (error) {
    return reported(error, argv);
  }
}

async function act(argv: readonly string[]): Promise<number> {
  const { env, stdin, stdout } = process;
  const terminal = { env, isTty: stdout.isTTY ?? false, hasKeyboard: stdin.isTTY ?? false, columns: stdout.columns };
  const action = parse(argv, terminal);
  switch (action.kind) {
    case "print":
      stdout.write(action.text);
      return 0;
    case "doctor": {
      const { doctor } = await import("./kernel/doctor.ts");
      return doctor(action);
    }
    case "run": {
      await checkRegexes(action.config);
      const { run } = await import("./run.ts");
      return run(action.config);
    }
  }
}

/** A bad regex is exit 2 even where rights are missing, too, which run() finds first. */
async function checkRegexes({ rules }: Config): Promise<void> {
  if (rules.every((rule) => rule.uriRegex === null)) return;
  const { compileRules } = await import("./core/rules.ts");
  compileRules(rules);
}

function reported(error: unknown, argv: readonly string[]): number {
  // The command line may be what is wrong, so --debug is looked for by hand, up to the command to profile.
  const end = argv.indexOf("--");
  const isDebug = argv.slice(0, end === -1 ? undefined : end).includes("--debug");
  return report(error, isDebug, (text) => process.stderr.write(text));
}
