/**
 * Programs at perf's trace events, as on kernels that preempt those at raw tracepoints: l7prof takes this kernel for such
 * a one. That nothing is missed there by those that are preempted, scripts/test-kernel-load.sh tests, on such a kernel.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { l7profPrograms, programsOf } from "../support/bpf.ts";
import { runChild } from "../support/child.ts";
import { edgesOf, exactly, startL7prof } from "../support/l7prof.ts";
import { load } from "../support/load.ts";
import { inRepo, temporaryDirectory } from "../support/paths.ts";
import { type Server, startNodeServer, startServer } from "../support/servers.ts";
import { tallyOf } from "../support/tally.ts";

const env = {
  NODE_OPTIONS: `--import ${inRepo("test/support/kernel-release.mjs")}`,
  L7PROF_TEST_RELEASE: "7.3.4-test",
};
const KEPT = 211;
const FRESH = 37;

function startAsThere(servers: readonly Server[]) {
  const pids = servers.map(({ pid }) => pid).join(",");
  return startL7prof([...exactly, "--tcp", "--call-times", "--pid", pids], { env });
}

async function loadEach(servers: readonly Server[]): Promise<void> {
  for (const { port } of servers) {
    await load([{ path: "/hello" }], { port, count: KEPT, connections: 5 });
    await load([{ path: "/hello" }], { port, count: FRESH, connections: 3, fresh: true });
  }
}

test("a server's counts, its connections and the times of its calls, each once", async () => {
  const server = await startNodeServer();
  const run = await startAsThere([server]);
  const held = new Set(programsOf(run.pid));
  const names = l7profPrograms().flatMap(({ id, name }) => (held.has(id) ? [name] : []));
  await loadEach([server]);
  const { summary, warnings } = await run.finish();

  const attached = ["l7p_sys_exit_perf", "l7p_sys_enter_perf", "l7p_sock_state_perf", "l7p_sock_state"];
  expect(names).toEqual(expect.arrayContaining(attached));
  expect(names).not.toContain("l7p_sys_exit");
  expect(names).not.toContain("l7p_sys_enter");
  expect(tallyOf(edgesOf(summary, "server"))).toEqual(await server.counters());
  const [edge] = edgesOf(summary, "server");
  const ended = 5 + FRESH;
  expect(edge!.tcp).toMatchObject({ accepts: ended, closes: ended, resets: 0, readMs: { count: KEPT + FRESH } });
  expect(summary.capture).toMatchObject({ lostEvents: 0, coverage: 1, orphanResponses: 0, unansweredRequests: 0 });
  expect(warnings).toEqual([]);
});

test.runIf(process.arch === "x64")("requests of io_uring", async () => {
  const binary = join(temporaryDirectory(), "io-uring-server");
  const source = inRepo("test/servers/io-uring/server.c");
  execFileSync("clang-19", ["-O2", "-o", binary, source, "-luring"]);
  const modes = ["recv send", "recvmsg sendmsg", "select two", "multishot send"];
  const servers = await Promise.all(modes.map((mode) => startServer(binary, mode.split(" "))));
  const run = await startAsThere(servers);
  await loadEach(servers);
  const { summary } = await run.finish();

  for (const server of servers) {
    const { requests, ...bytes } = JSON.parse((await server.ask("end", /^\{.*/))[0]);
    const seen = tallyOf(edgesOf(summary, "server", [server.pid]));
    expect(seen).toEqual({ exchanges: { "GET /hello 200": requests }, ...bytes });
    expect(requests).toBe(KEPT + FRESH);
  }
});

test("without the right to them: doctor says what that means", async () => {
  const { stdout } = await runChild(
    "setpriv",
    ["--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin", "node", inRepo("bin/l7prof.js"), "doctor", "--json"],
    { env },
  );
  const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string; fix: string | null }[] };
  expect(checks.find(({ name }) => name === "programs")).toMatchObject({
    state: "degraded",
    fix: expect.stringContaining("CAP_SYS_ADMIN"),
  });
});
