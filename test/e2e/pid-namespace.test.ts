/** l7prof in a container: process IDs are those that it sees there. */
import { expect, test } from "vitest";
import type { Summary } from "../../src/core/profile.ts";
import { startChild } from "../support/child.ts";
import { parseLines } from "../support/l7prof.ts";
import { load } from "../support/load.ts";
import { inRepo } from "../support/paths.ts";

/** The first process of the namespace: starts a server, says its PID there, and becomes l7prof. */
const script = `
node "$0/test/servers/http-server.js" --port "$2" < /dev/zero > /tmp/l7prof-ready.$2 &
until grep -q ready /tmp/l7prof-ready.$2; do sleep 0.05; done
rm /tmp/l7prof-ready.$2
exec node "$0/bin/l7prof.js" --json --interval 0 $1`;

async function inNamespace(target: string, port: number) {
  const unshare = [
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "sh",
    "-c",
    script,
    inRepo("."),
    target,
    `${port}`,
  ];
  const run = startChild("unshare", unshare);
  await run.line(/^\{"type":"start"/);
  await load([{ path: "/hello" }], { port, count: 17, connections: 1 });
  await load([{ path: "/hello" }], { port, count: 5, fresh: true, connections: 1 });
  return run;
}

test.each([
  ["--pid 2", 61_801],
  ["--comm node", 61_802],
  ["--all", 61_803],
])("%s in a PID namespace of its own", async (target, port) => {
  const run = await inNamespace(`${target} --count 22`, port);
  await run.exited;
  const lines = parseLines(run.stdoutLines);
  const summary = lines.find(({ type }) => type === "summary") as unknown as Summary;
  const server = summary.edges.filter(({ side }) => side === "server");
  // The client is outside: it has no ID there, and no name.
  expect(server).toMatchObject([{ requests: 22, process: { pid: 2, comm: "node" }, peer: { pid: null, comm: null } }]);
  expect(summary.edges).toHaveLength(1);
  expect(summary.capture).toMatchObject({ coverage: 1, lostEvents: 0 });
});
