import { chmodSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Summary } from "../../src/core/profile/window.ts";
import { exactly, l7prof, l7profAsNobody, parseLines, profile } from "../support/l7prof.ts";
import { load, type Request } from "../support/load.ts";
import { temporaryDirectory } from "../support/paths.ts";
import { startNodeServer } from "../support/servers.ts";
import { tallyOf } from "../support/tally.ts";

const mix: readonly Request[] = [
  { path: "/hello" },
  { path: "/users/12" },
  { path: "/chunked/3" },
  { path: "/status/503" },
  { path: "/upload", method: "POST", body: "x".repeat(5000) },
  { path: "/slow/30?token=secret" },
];

async function record(...args: readonly string[]) {
  const directory = temporaryDirectory();
  chmodSync(directory, 0o755);
  const file = join(directory, "run.l7prof");
  const server = await startNodeServer();
  const { summary } = await profile(["--pid", `${server.pid}`, "--record", file, ...args], async () => {
    await load(mix, { port: server.port, count: 307 });
    await load(mix, { port: server.port, count: 53, fresh: true });
  });
  chmodSync(file, 0o644);
  return { file, live: summary };
}

const summaryOf = (stdout: string) => parseLines(stdout.split("\n")).at(-1) as unknown as Summary;
const replay = (file: string, ...args: readonly string[]) => l7prof(["replay", file, "--json", ...exactly, ...args]);

test("a replay gives the live summary again, without root", async () => {
  const rules = ["--slow", "20ms", "--5xx"];
  const { file, live } = await record(...rules);
  const { code, stdout, stderr } = await l7profAsNobody(["replay", file, "--json", ...exactly, ...rules]);
  const again = summaryOf(stdout);
  expect({ code, stderr, ended: again.ended }).toEqual({ code: 0, stderr: "", ended: "end-of-file" });
  expect(again.edges).toEqual(live.edges);
  expect(again.top).toEqual(live.top);
  expect(again.windowMs).toBe(live.windowMs);
  expect(again.capture).toEqual(live.capture);
});

test("a replay takes other rules", async () => {
  const { file, live } = await record("--5xx");
  expect(live.top["4xx"]).toEqual([]);
  const again = summaryOf((await replay(file, "--uri-regex", "^/users/", "--4xx")).stdout);
  expect(again.top["4xx"].length).toBeGreaterThan(0);
  expect(again.top["4xx"].every((sample) => sample.rule === "^/users/")).toBe(true);
});

test("a truncated recording: what was readable is shown, and the error says so", async () => {
  const { file, live } = await record();
  truncateSync(file, Math.floor(readFileSync(file).length * 0.6) + 1);
  const { code, stdout, stderr } = await replay(file);
  expect(code).toBe(1);
  expect(stderr.trimEnd().split("\n")).toHaveLength(2);
  expect(stderr).toMatch(/run\.l7prof.*(truncated|cut short|cut off)/);
  const again = summaryOf(stdout);
  const shown = tallyOf(again.edges).exchanges["GET /hello 200"] ?? 0;
  expect(shown).toBeGreaterThan(0);
  expect(shown).toBeLessThan(tallyOf(live.edges).exchanges["GET /hello 200"]!);
});

test("a recording with damage in its middle: the rest is shown, with no stack trace", async () => {
  const { file } = await record();
  const bytes = readFileSync(file);
  bytes.fill(0xff, bytes.length / 2, bytes.length / 2 + 64);
  writeFileSync(file, bytes);
  const { stdout, stderr } = await replay(file);
  expect(stderr).not.toMatch(/^ +at |internal error/m);
  expect(tallyOf(summaryOf(stdout).edges).exchanges["GET /hello 200"]).toBeGreaterThan(0);
});
