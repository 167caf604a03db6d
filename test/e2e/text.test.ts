import { expect, test } from "vitest";
import { l7profPrograms, untilProgramsAreGone } from "../support/bpf.ts";
import { startChild } from "../support/child.ts";
import { load } from "../support/load.ts";
import { inRepo } from "../support/paths.ts";
import { startNodeServer } from "../support/servers.ts";
import { until } from "../support/until.ts";

test("--plain without a terminal: tables at 80 columns, no colour, samples and a summary", async () => {
  const before = l7profPrograms();
  const server = await startNodeServer();
  const args = ["--pid", `${server.pid}`, "--plain", "--interval", "200ms", "--4xx"];
  const run = startChild("node", [inRepo("bin/l7prof.js"), ...args]);
  await until("l7prof captures", async () => {
    await load([{ path: "/users/1" }, { path: "/users/2" }, { path: "/hello" }], { port: server.port, count: 30 });
    return run.stdoutLines.some((line) => line.includes("/users/{id}"));
  });
  const { code } = await run.stop("SIGINT");
  const text = run.stdoutLines.join("\n");

  expect(code).toBe(0);
  expect(text).toContain("404");
  expect(text).toContain("/hello");
  expect(text).toMatch(/summary/i);
  expect(text).not.toContain("\u001b");
  expect(run.stdoutLines.filter((line) => line.length > 80)).toEqual([]);
  await untilProgramsAreGone(before);
});
