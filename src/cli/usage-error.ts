/** Commander's errors in the words of l7prof: what is wrong, and how to fix it. */
import type { Command, CommanderError } from "commander";
import { UserError } from "../errors.ts";

export function usageError(error: CommanderError, program: Command): UserError {
  const [, message = error.message, guess] = /^(?:error: )?(.*)(?:\n\((Did you mean .*)\))?/.exec(error.message) ?? [];
  const [code, what, fix] = wordsOf(error.code, message, guess, program);
  return new UserError(code, what, fix, { exitCode: 2, cause: error });
}

type Words = readonly [code: string, what: string, fix: string];

function wordsOf(code: string, message: string, guess: string | undefined, program: Command): Words {
  const option = /'(?:-\w, )?(-[^ ']+)/.exec(message)?.[1] ?? "";
  switch (code) {
    case "commander.unknownOption":
      return ["unknown-option", `unknown option ${option}`, guess ? lowerFirst(guess) : OPTIONS];
    case "commander.optionMissingArgument":
      return ["missing-value", `${option} needs a value`, `write ${option} ${/<.*?>/.exec(message)?.[0] ?? "VALUE"}`];
    case "commander.missingArgument":
      return ["missing-file", "replay needs a recording", "write l7prof replay FILE; --record FILE makes one"];
    case "commander.excessArguments":
      return excessOf(program.args);
    default:
      return ["usage", message, "l7prof --help lists the options"];
  }
}

const OPTIONS = "l7prof --help lists the options; those of a program to start stand behind --";

/** `words`: what is no option, the command first. */
function excessOf(words: readonly string[]): Words {
  const [first = "", second, third] = words;
  const unexpected = (word = "") => `unexpected argument ${JSON.stringify(word)}`;
  if (first === "replay") return ["unexpected-argument", unexpected(third), "replay reads one recording at a time"];
  if (first === "doctor") return ["unexpected-argument", unexpected(second), "run it as: l7prof doctor [--json]"];
  const asCommand = `l7prof -- ${words.join(" ")}`;
  return ["unexpected-argument", unexpected(first), `if it is a program to start, put -- before it: ${asCommand}`];
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
