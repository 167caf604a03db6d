/** An error → the two lines on stderr that say what is wrong and how to fix it, and the exit code. */
import { UserError } from "../errors.ts";

export function report(error: unknown, isDebug: boolean, write: (text: string) => void): number {
  const { what, fix, exitCode } = wordsOf(error);
  write(`l7prof: ${oneLine(what)}\n  fix: ${oneLine(fix)}\n`);
  if (isDebug) write(`${stackOf(error)}\n`);
  return exitCode;
}

function wordsOf(error: unknown): { what: string; fix: string; exitCode: number } {
  if (error instanceof UserError) return { what: error.message, fix: error.hint, exitCode: error.exitCode };
  const what = `internal error: ${error instanceof Error ? error.message : String(error)}`;
  return { what, fix: "run it again with --debug and report what it prints: this is a bug in l7prof", exitCode: 1 };
}

/** With the causes, which is where the system's own words are. */
function stackOf(error: unknown): string {
  const stacks: string[] = [];
  for (let at = error; at !== undefined && stacks.length < 10; at = at instanceof Error ? at.cause : undefined) {
    stacks.push(at instanceof Error ? (at.stack ?? at.message) : String(at));
  }
  return stacks.join("\ncaused by: ");
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, " ");
}
