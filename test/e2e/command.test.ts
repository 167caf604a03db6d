import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Summary } from "../../src/core/profile/window.ts";
import { l7profPrograms, untilProgramsAreGone } from "../support/bpf.ts";
import { edgesOf, exactly, l7prof, parseLines } from "../support/l7prof.ts";
import { temporaryDirectory } from "../support/paths.ts";
import { startNodeServer } from "../support/servers.ts";
import { tallyOf } from "../support/tally.ts";

const nobody = { SUDO_UID: "65534", SUDO_GID: "65534" };

test("-- CMD: its exchanges from the first on, its output and its exit status", async () => {
  const before = l7profPrograms();
  const server = await startNodeServer();
  const file = join(temporaryDirectory(), "out.ndjson");
  const url = `http://127.0.0.1:${server.port}`;
  const command = `curl -s ${url}/hello; curl -s -o /dev/null -w '%{http_code}\\n' ${url}/nowhere; exit 7`;
  const { code, stdout } = await l7prof(["--json", ...exactly, "-o", file, "--", "sh", "-c", command], { env: nobody });

  expect(code).toBe(7);
  expect(stdout).toBe("Hello from the server.\n\n404");
  const summary = parseLines(readFileSync(file, "utf8").split("\n")).at(-1) as unknown as Summary;
  expect(summary.ended).toBe("target-exited");
  expect(tallyOf(edgesOf(summary, "client")).exchanges).toEqual({ "GET /hello 200": 1, "GET /nowhere 404": 1 });
  await untilProgramsAreGone(before);
});

test("-- CMD runs as the user that called sudo, with that user's groups", async () => {
  const file = join(temporaryDirectory(), "out.ndjson");
  const { code, stdout } = await l7prof(["--json", "-o", file, "--", "sh", "-c", "id -u; id -g; id -G"], {
    env: nobody,
  });
  expect({ code, stdout }).toEqual({ code: 0, stdout: "65534\n65534\n65534" });
});

test("-- CMD ended by a signal: 128 + its number", async () => {
  const file = join(temporaryDirectory(), "out.ndjson");
  const { code } = await l7prof(["--json", "-o", file, "--", "sh", "-c", "kill -TERM $$"]);
  expect(code).toBe(143);
});

test("-- CMD that may not be executed: named, exit code 1", async () => {
  const directory = temporaryDirectory();
  chmodSync(directory, 0o700);
  const { code, stderr } = await l7prof(["--", join(directory, "tool")], { env: nobody });
  expect(code).toBe(1);
  expect(stderr).toContain(join(directory, "tool"));
});
