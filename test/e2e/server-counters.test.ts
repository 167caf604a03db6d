import { expect, test } from "vitest";
import { edgesOf, profile } from "../support/l7prof.ts";
import { load, type Request } from "../support/load.ts";
import { type Server, startNodeServer, startPythonServer } from "../support/servers.ts";
import { type Tally, tallyOf } from "../support/tally.ts";

const common: readonly Request[] = [
  { path: "/hello" },
  { path: "/status/204" },
  { path: "/status/304" },
  { path: "/status/500" },
  { path: "/hello?query=left&out=1", method: "HEAD" },
  { path: "/size/100000" },
  { path: "/nowhere" },
  { path: "/upload", method: "POST", body: "u".repeat(777) },
  { path: "/upload", method: "POST", body: Buffer.alloc(70_000, "v") },
];

/** Without interim responses, which are messages of their own: the socket counts them, the response's size does not. */
const ofNode: readonly Request[] = [
  ...common,
  { path: "/chunked/3" },
  { path: "/upload", method: "PUT", body: "w".repeat(321), chunked: true },
];

async function expectItsOwnCount(server: Server, requests: readonly Request[]) {
  let counters: Tally | null = null;
  const { summary } = await profile(["--pid", `${server.pid}`], async () => {
    await load(requests, { port: server.port, count: 2003 });
    await load(requests, { port: server.port, count: 211, fresh: true });
    counters = await server.counters();
  });
  expect(tallyOf(edgesOf(summary, "server"))).toEqual(counters);
  expect(summary.capture).toMatchObject({ lostEvents: 0, coverage: 1, unparsedMessages: 0 });
}

test("a Node server: counts and sizes equal its own counters", async () => {
  await expectItsOwnCount(await startNodeServer(), ofNode);
});

test("a Python server: counts and sizes equal its own counters", async () => {
  await expectItsOwnCount(await startPythonServer(), common);
});
