import type { Terminal } from "../../src/cli/color.ts";
import { type Action, parse } from "../../src/cli/parse.ts";
import type { Config } from "../../src/config.ts";
import { UserError } from "../../src/errors.ts";

export const pipe: Terminal = { env: {}, isTty: false, hasKeyboard: false, columns: undefined };
export const tty: Terminal = { env: { TERM: "xterm" }, isTty: true, hasKeyboard: true, columns: 120 };

/** A shell's words, of which only '…' groups. */
export function words(line: string): string[] {
  return (line.match(/'[^']*'|[^\s']+(?:'[^']*')?/g) ?? []).map((word) => word.replaceAll("'", ""));
}

export function act(line: string, terminal: Terminal = pipe): Action {
  return parse(words(line), terminal);
}

export function config(line: string, terminal: Terminal = pipe): Config {
  const action = act(line, terminal);
  if (action.kind !== "run") throw new Error(`${line} is ${action.kind}`);
  return action.config;
}

export function errorOf(line: string): UserError {
  try {
    act(line);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error(`${line} is accepted`);
}
