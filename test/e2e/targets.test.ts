import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Summary } from "../../src/core/profile/window.ts";
import { createCgroup } from "../support/cgroup.ts";
import { edgesOf, exactly, profile, startL7prof } from "../support/l7prof.ts";
import { load } from "../support/load.ts";
import { inRepo, temporaryDirectory } from "../support/paths.ts";
import { type Server, startForkingServer, startNodeServer, startServer } from "../support/servers.ts";
import { tallyOf, totalOf } from "../support/tally.ts";

const get = (server: { port: number }, path: string, count: number) => load([{ path }], { port: server.port, count });
const counted = (summary: Summary, pid: number) => totalOf(tallyOf(edgesOf(summary, "server", [pid])));

async function fork(parent: Server) {
  const [, port, pid] = await parent.ask("fork", /^child (\d+) (\d+)/);
  return { port: Number(port), pid: Number(pid) };
}

test("--pid: the process, its children and those that it forks later", async () => {
  const parent = await startForkingServer();
  const early = await fork(parent);
  const run = await startL7prof([...exactly, "--pid", `${parent.pid}`]);
  const late = await fork(parent);
  await get(early, "/hello", 31);
  await get(late, "/hello", 37);
  const { summary } = await run.finish();
  expect([counted(summary, early.pid), counted(summary, late.pid)]).toEqual([31, 37]);
});

test("--pid --no-follow: that process alone", async () => {
  const parent = await startForkingServer();
  const early = await fork(parent);
  const run = await startL7prof([...exactly, "--pid", `${parent.pid}`, "--no-follow"]);
  const late = await fork(parent);
  await get(early, "/hello", 31);
  await get(late, "/hello", 37);
  expect((await run.finish()).summary.edges).toEqual([]);
});

test("several --pid, as a list and repeated: each counts, others do not", async () => {
  const servers = await Promise.all([0, 1, 2, 3].map(() => startNodeServer()));
  const [first, second, third, other] = servers as [Server, Server, Server, Server];
  const { summary } = await profile(["--pid", `${first.pid},${second.pid}`, "--pid", `${third.pid}`], async () => {
    for (const [index, server] of servers.entries()) await get(server, "/hello", 11 + index);
    for (const server of servers) await server.counters();
  });
  expect(servers.map((server) => counted(summary, server.pid))).toEqual([11, 12, 13, 0]);
  expect(summary.edges.some((edge) => edge.process.pid === other.pid)).toBe(false);
});

test("--comm: processes of that name, those that start later too", async () => {
  const name = "l7t-named";
  const program = join(temporaryDirectory(), name);
  symlinkSync(process.execPath, program);
  const start = () => startServer(program, [inRepo("test/servers/http-server.js")]);
  const early = await start();
  const other = await startNodeServer();
  const run = await startL7prof([...exactly, "--comm", name]);
  const late = await start();
  await get(early, "/hello", 31);
  await get(late, "/hello", 37);
  await get(other, "/hello", 41);
  const { summary } = await run.finish();
  expect([early, late, other].map(({ pid }) => counted(summary, pid))).toEqual([31, 37, 0]);
  expect(edgesOf(summary, "server").every((edge) => edge.process.comm === name)).toBe(true);
});

test("--cgroup: processes below it, those that join later too", async () => {
  const cgroup = createCgroup("targets");
  const [early, late, other] = await Promise.all([startNodeServer(), startNodeServer(), startNodeServer()]);
  cgroup.add(early.pid);
  const run = await startL7prof([...exactly, "--cgroup", cgroup.directory]);
  await get(late, "/hello", 5);
  cgroup.add(late.pid);
  await get(early, "/hello", 31);
  await get(late, "/hello", 37);
  await get(other, "/hello", 41);
  const { summary } = await run.finish();
  expect([early, late, other].map(({ pid }) => counted(summary, pid))).toEqual([31, 37, 0]);
});

test("--all: every process from both ends, l7prof itself left out", async () => {
  const [first, second] = await Promise.all([startNodeServer(), startNodeServer()]);
  const run = await startL7prof([...exactly, "--all"]);
  await get(first, "/hello", 31);
  await get(second, "/hello", 37);
  await first.counters();
  await second.counters();
  const { summary } = await run.finish();
  expect([first, second].map(({ pid }) => counted(summary, pid))).toEqual([31, 37]);
  expect(totalOf(tallyOf(edgesOf(summary, "client", [process.pid])))).toBeGreaterThanOrEqual(68);
  expect(summary.edges.some((edge) => edge.process.pid === run.pid)).toBe(false);
});

test("--port: narrows to connections with that port", async () => {
  const [wanted, other] = await Promise.all([startNodeServer(), startNodeServer()]);
  const { summary } = await profile(["--all", "--port", `${wanted.port}`], async () => {
    await get(wanted, "/hello", 31);
    await get(other, "/hello", 37);
    await wanted.counters();
  });
  expect([wanted, other].map(({ pid }) => counted(summary, pid))).toEqual([31, 0]);
  expect(edgesOf(summary, "client").map((edge) => edge.peer.port)).toEqual([wanted.port]);
});

test("a target that ends while another lives: the run goes on", async () => {
  const [first, second] = await Promise.all([startNodeServer(), startNodeServer()]);
  const run = await startL7prof([...exactly, "--pid", `${first.pid},${second.pid}`]);
  await get(first, "/hello", 3);
  await first.stop();
  await get(second, "/hello", 5);
  expect(run.isRunning()).toBe(true);
  await second.stop();
  const { code, summary } = await run.finished();
  expect(code).toBe(0);
  expect([first, second].map(({ pid }) => counted(summary, pid))).toEqual([3, 5]);
});

test("a PID given twice or with its child: counted once", async () => {
  const parent = await startForkingServer();
  const child = await fork(parent);
  const { summary } = await profile(["--pid", `${parent.pid},${child.pid},${child.pid}`], async () => {
    await get(child, "/hello", 31);
  });
  expect(counted(summary, child.pid)).toBe(31);
});
