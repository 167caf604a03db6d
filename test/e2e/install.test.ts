import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runChild } from "../support/child.ts";
import { parseLines } from "../support/l7prof.ts";
import { load } from "../support/load.ts";
import { inRepo, root, temporaryDirectory } from "../support/paths.ts";
import { startNodeServer } from "../support/servers.ts";

test("npm install -g of the packed tarball gives a working l7prof", async () => {
  const directory = temporaryDirectory();
  const quiet = ["--silent", "--no-audit", "--no-fund"];
  const packed = await runChild("npm", ["pack", ...quiet, "--pack-destination", directory], { cwd: root });
  const tarball = join(directory, packed.stdout.trim().split("\n").at(-1)!);
  expect(statSync(tarball).size).toBeLessThan(1_000_000);
  const installed = await runChild("npm", ["install", "--global", ...quiet, "--prefix", directory, tarball], {
    cwd: directory,
  });
  expect(installed.code, installed.stderr).toBe(0);

  const l7prof = join(directory, "bin", "l7prof");
  const { version } = JSON.parse(readFileSync(inRepo("package.json"), "utf8"));
  expect((await runChild(l7prof, ["--version"])).stdout).toContain(version);

  const server = await startNodeServer();
  const run = runChild(l7prof, ["--pid", `${server.pid}`, "--json", "--count", "20", "--duration", "20s"], {
    cwd: directory,
  });
  for (let round = 0; round < 40; round++) {
    await load([{ path: "/hello" }], { port: server.port, count: 20 });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { code, stdout } = await run;
  expect(code).toBe(0);
  expect(parseLines(stdout.split("\n")).at(-1)).toMatchObject({ type: "summary", ended: "count" });
}, 120_000);
