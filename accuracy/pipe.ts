/**
 * Where a client waits that l7prof joins in the middle: it does some of its requests, and then reads the pipe `pipe` in its
 * directory to its end, which comes when l7prof looks. Its connections stay open, and it goes on with them.
 */
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";
import { until } from "../test/support/until.ts";
import type { Gated } from "./gate.ts";

export function makePipe(directory: string): void {
  execFileSync("mkfifo", [join(directory, "pipe")]);
}

/** Lets the client run until it reads the pipe; gives what lets it go on. */
export async function runToPipe({ child, release }: Gated, directory: string): Promise<() => Promise<void>> {
  await release();
  const end = await until("the client waits at its pipe", () => {
    if (!child.isRunning()) throw new Error(`it ended:\n${child.stderr()}`);
    return writingEnd(join(directory, "pipe"));
  });
  return async () => closeSync(end);
}

/** Of a pipe that nobody reads there is none. A descriptor is never 0 here. */
function writingEnd(path: string): number | null {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENXIO") return null;
    throw error;
  }
}
