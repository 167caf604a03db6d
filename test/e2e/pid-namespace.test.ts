/** l7prof in a container: process IDs are those that it sees there. */
import { expect, test } from "vitest";
import type { Summary } from "../../src/core/profile/window.ts";
import { createCertificate } from "../support/certificate.ts";
import { runChild, startChild } from "../support/child.ts";
import { parseLines } from "../support/l7prof.ts";
import { load } from "../support/load.ts";
import { inRepo } from "../support/paths.ts";

/** The first process of the namespace: starts a server, waits for it, and becomes l7prof. $0: the folder of it all. */
const script = `
exec 3<&0
node "$0/test/servers/http-server.js" --port "$2" $3 <&3 >/tmp/l7prof-ready.$2 &
until grep -q ready /tmp/l7prof-ready.$2; do sleep 0.05; done
rm /tmp/l7prof-ready.$2
exec node "$0/bin/l7prof.js" --json --interval 0 $1`;

/** Two programs, one after the other, on a machine that may be busy. */
const START_MS = 40_000;

async function startInNamespace(target: string, port: number, serverOptions = "") {
  const inside = ["sh", "-c", script, inRepo("."), target, `${port}`, serverOptions];
  const run = startChild("unshare", ["--pid", "--fork", "--kill-child", "--mount-proc", ...inside]);
  await run.line(/^\{"type":"start"/, START_MS);
  return {
    summary: async () => {
      await run.exited;
      return parseLines(run.stdoutLines).find(({ type }) => type === "summary") as unknown as Summary;
    },
  };
}

test.each([
  ["--pid 2", 61_801],
  ["--comm node", 61_802],
  ["--all", 61_803],
])("%s in a PID namespace of its own", async (target, port) => {
  const run = await startInNamespace(`${target} --count 22`, port);
  await load([{ path: "/hello" }], { port, count: 17, connections: 1 });
  await load([{ path: "/hello" }], { port, count: 5, fresh: true, connections: 1 });
  const summary = await run.summary();
  const server = summary.edges.filter(({ side }) => side === "server");
  // The client is outside: it has no ID there, and no name.
  expect(server).toMatchObject([{ requests: 22, process: { pid: 2, comm: "node" }, peer: { pid: null, comm: null } }]);
  expect(summary.edges).toHaveLength(1);
  expect(summary.capture).toMatchObject({ coverage: 1, lostEvents: 0 });
});

test("HTTPS in a PID namespace of its own", async () => {
  const { key, cert } = createCertificate();
  const port = 61_804;
  const run = await startInNamespace("--pid 2 --count 23", port, `--key ${key} --cert ${cert}`);
  const url = `https://127.0.0.1:${port}/hello`;
  await runChild("curl", ["-sk", "-o", "/dev/null", ...Array<string>(19).fill(url)]);
  for (let i = 0; i < 4; i++) await runChild("curl", ["-sk", "-o", "/dev/null", url]);
  const summary = await run.summary();
  expect(summary.edges).toMatchObject([
    { side: "server", protocol: "https", requests: 23, process: { pid: 2, comm: "node" } },
  ]);
  expect(summary.unreadableTls).toBeUndefined();
  expect(summary.capture).toMatchObject({ coverage: 1, lostEvents: 0 });
});
