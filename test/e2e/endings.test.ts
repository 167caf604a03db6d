import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { l7profPrograms, untilProgramsAreGone } from "../support/bpf.ts";
import { edgesOf, exactly, l7prof, parseLines, startL7prof } from "../support/l7prof.ts";
import { load } from "../support/load.ts";
import { temporaryDirectory } from "../support/paths.ts";
import { type Server, startNodeServer } from "../support/servers.ts";
import { shell } from "../support/shell.ts";
import { tallyOf, totalOf } from "../support/tally.ts";
import { mountTmpfs } from "../support/tmpfs.ts";

const getHello = (server: Server, count: number) => load([{ path: "/hello" }], { port: server.port, count });

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal}: the summary, exit code 0, nothing on stderr`, async () => {
    const server = await startNodeServer();
    const run = await startL7prof([...exactly, "--pid", `${server.pid}`]);
    await getHello(server, 97);
    await server.counters();
    const result = await run.finish(signal);
    expect(result).toMatchObject({ code: 0, stderr: "", summary: { ended: "signal" } });
    expect(totalOf(tallyOf(edgesOf(result.summary, "server")))).toBe(97);
  });
}

test("a signal to it and to its group, as of timeout(1): the summary, exit code 0", async () => {
  const server = await startNodeServer();
  for (const gapMs of [1, 2, 5]) {
    const run = await startL7prof([...exactly, "--pid", `${server.pid}`]);
    await getHello(server, 97);
    await server.counters();
    run.signal("SIGTERM");
    await sleep(gapMs);
    run.signal("SIGTERM");
    const result = await run.finished();
    expect(result).toMatchObject({ code: 0, stderr: "", summary: { ended: "signal" } });
    expect(totalOf(tallyOf(edgesOf(result.summary, "server")))).toBe(97);
  }
});

test("the target ends: the summary, exit code 0", async () => {
  const server = await startNodeServer();
  const run = await startL7prof([...exactly, "--pid", `${server.pid}`]);
  await getHello(server, 97);
  await server.stop();
  const result = await run.finished();
  expect(result).toMatchObject({ code: 0, summary: { ended: "target-exited" } });
  expect(totalOf(tallyOf(edgesOf(result.summary, "server")))).toBe(97);
});

test("--duration: ends by itself after that long", async () => {
  const server = await startNodeServer();
  const run = await startL7prof([...exactly, "--pid", `${server.pid}`, "--duration", "700ms"]);
  await getHello(server, 29);
  const { code, summary } = await run.finished();
  expect({ code, ended: summary.ended }).toEqual({ code: 0, ended: "duration" });
  expect(summary.windowMs).toBeGreaterThanOrEqual(700);
  expect(summary.windowMs).toBeLessThan(1000);
  expect(totalOf(tallyOf(edgesOf(summary, "server")))).toBe(29);
});

test("--count: ends by itself after that many exchanges", async () => {
  const server = await startNodeServer();
  const run = await startL7prof([...exactly, "--pid", `${server.pid}`, "--count", "53"]);
  await getHello(server, 101);
  const { code, summary } = await run.finished();
  expect({ code, ended: summary.ended }).toEqual({ code: 0, ended: "count" });
  expect(totalOf(tallyOf(edgesOf(summary, "server")))).toBe(53);
});

test("| head -1: ends quietly with 0", async () => {
  const before = l7profPrograms();
  const server = await startNodeServer();
  const { stdout, stderr } = await shell(
    `$l7prof --pid ${server.pid} --json --interval 100ms | head -1; echo "\${PIPESTATUS[0]}"`,
  );
  const [line, status, ...rest] = stdout.split("\n");
  expect(JSON.parse(line!)).toMatchObject({ type: "start" });
  expect({ status, rest, stderr }).toEqual({ status: "0", rest: [], stderr: "" });
  await untilProgramsAreGone(before);
});

test("a full disk at -o: one line that names the file, exit code 1, whole lines up to then", async () => {
  const before = l7profPrograms();
  const server = await startNodeServer();
  const file = join(mountTmpfs(64 * 1024), "out.ndjson");
  const run = l7prof(["--pid", `${server.pid}`, "--json", "--interval", "20ms", "-o", file, "--duration", "30s"]);
  await getHello(server, 20_000);
  const { code, stderr } = await run;
  expect(code).toBe(1);
  expect(stderr.trimEnd().split("\n")).toHaveLength(2);
  expect(stderr).toContain(file);
  expect(stderr).toMatch(/space|full|room/i);
  const written = readFileSync(file, "utf8").split("\n").slice(0, -1);
  expect(parseLines(written).length).toBeGreaterThan(1);
  await untilProgramsAreGone(before);
});

test("a full disk at --record: the same, and the summary of what was seen", async () => {
  const before = l7profPrograms();
  const server = await startNodeServer();
  const file = join(mountTmpfs(64 * 1024), "run.l7prof");
  const run = l7prof(["--pid", `${server.pid}`, "--json", ...exactly, "--record", file, "--duration", "30s"]);
  await getHello(server, 20_000);
  const { code, stdout, stderr } = await run;
  expect(code).toBe(1);
  expect(stderr.trimEnd().split("\n")).toHaveLength(2);
  expect(stderr).toContain(file);
  expect(parseLines(stdout.split("\n")).at(-1)).toMatchObject({ type: "summary" });
  await untilProgramsAreGone(before);
});

test("-o in a directory that does not exist: named before anything is loaded", async () => {
  const file = join(temporaryDirectory(), "missing", "out.ndjson");
  const { code, stderr } = await l7prof(["--pid", `${process.pid}`, "--json", "-o", file]);
  expect(code).toBe(1);
  expect(stderr).toContain(file);
  expect(stderr.trimEnd().split("\n")).toHaveLength(2);
});
