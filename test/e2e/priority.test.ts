import { readdirSync } from "node:fs";
import { getPriority } from "node:os";
import { expect, test } from "vitest";
import { startChild } from "../support/child.ts";
import { l7prof, startL7prof } from "../support/l7prof.ts";
import { inRepo } from "../support/paths.ts";

/** The niceness of each of its threads. */
function nicenessesOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => getPriority(Number(thread)));
}

test("all of its threads go before those at niceness 0", async () => {
  const run = await startL7prof(["--pid", `${process.pid}`]);
  expect(new Set(nicenessesOf(run.pid))).toEqual(new Set([-10]));
  await run.finish();
});

test("-- CMD does not", async () => {
  const { stdout } = await l7prof(["--plain", "-o", "/dev/null", "--", "nice"]);
  expect(stdout).toBe(`${getPriority()}`);
});

test("a niceness that somebody chose stays", async () => {
  const run = startChild("nice", ["-n", "5", "node", inRepo("bin/l7prof.js"), "--json", "--pid", `${process.pid}`]);
  await run.line(/^\{"type":"start"/);
  expect(new Set(nicenessesOf(run.pid))).toEqual(new Set([5]));
  await run.stop("SIGINT");
});
