/** Commander at work: the words of the command line → the options and which of them were given. */
import { type Command, CommanderError } from "commander";
import type { SamplingRule } from "../core/profile/start.ts";
import { version } from "../version.ts";
import { createProgram, type Flags } from "./program.ts";
import { collectRules } from "./rule-flags.ts";
import { usageError } from "./usage-error.ts";

export interface Parsed {
  readonly kind: "run" | "replay" | "doctor";
  readonly file: string | null;
  readonly flags: Flags;
  readonly given: ReadonlySet<string>;
  readonly rules: readonly SamplingRule[];
}

/** A string is what --help and --version print. */
export function readCommandLine(words: readonly string[], columns: number): Parsed | string {
  let kind: Parsed["kind"] = "run";
  let file: string | null = null;
  let printed = "";
  const program = createProgram(version(), {
    run() {},
    replay(path) {
      kind = "replay";
      file = path;
    },
    doctor() {
      kind = "doctor";
    },
  });
  for (const each of [program, ...program.commands]) {
    each.exitOverride().configureOutput({
      writeOut: (text) => {
        printed += text;
      },
      writeErr() {},
      getOutHelpWidth: () => columns,
      getOutHasColors: () => false,
    });
  }
  const rules = collectRules(program);
  try {
    program.parse(words, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return printed;
    throw usageError(error, program);
  }
  return { kind, file, flags: program.opts<Flags & object>(), given: givenFlags(program), rules: rules() };
}

function givenFlags(program: Command): ReadonlySet<string> {
  const given = program.options.filter((option) => program.getOptionValueSource(option.attributeName()) === "cli");
  return new Set(given.map((option) => option.long ?? ""));
}
