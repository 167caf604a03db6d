/**
 * QUIC is named and counted, not read. The packets are those of RFC 9001 and RFC 9369 with connection ids of their own,
 * since no Debian package has a client: what a process moved is compared with its own count.
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import { exactly, l7prof, parseLines, startL7prof } from "../support/l7prof.ts";
import { inRepo, temporaryDirectory } from "../support/paths.ts";
import { startServer } from "../support/servers.ts";

type Moved = Record<"server" | "client", readonly [datagrams: number, bytes: number]>;

async function startPeer() {
  const peer = await startServer("python3", [inRepo("test/servers/datagrams.py")]);
  return {
    ...peer,
    do: (what: string) => peer.ask(what, /^done/),
    moved: async () => JSON.parse((await peer.ask("counters", /^\{.*/))[0]) as Moved,
  };
}

const library = "QUIC (by Initial packets)";
const warning = (pid: number, port: number) =>
  `python3[${pid}] port ${port} speaks QUIC, as HTTP/3 does, which l7prof can't read`;

test("connections of many clients, both versions, and each byte; the same again from a recording", async () => {
  const peer = await startPeer();
  const recording = join(temporaryDirectory(), "recording");
  const run = await startL7prof([...exactly, "--pid", `${peer.pid}`, "--record", recording]);
  await peer.do("initials 53");
  await peer.do("short 211");
  await peer.do("initials 31 2");
  const { server, client } = await peer.moved();
  const { summary, warnings } = await run.finish();
  // Both ends are of one process. The client of the short headers has shown nothing that only QUIC has.
  const shortBytes = 211 * (14 + 3);
  const bytes = server[1] + client[1] - shortBytes;
  const process = { pid: peer.pid, comm: "python3" };
  expect(summary.unreadableTls).toEqual([{ process, library, connections: 2 * (53 + 31), bytes }]);
  expect(warnings.map(({ code, message }) => [code, message])).toEqual([
    ["tls-unreadable", warning(peer.pid, peer.port)],
  ]);
  expect(summary.edges).toEqual([]);

  const replayed = await l7prof(["replay", recording, ...exactly, "--json"]);
  const lines = parseLines(replayed.stdout.split("\n"));
  expect(lines.at(-1)).toMatchObject({ type: "summary", unreadableTls: summary.unreadableTls });
});

test("a server that was busy before is seen when connections begin", async () => {
  const peer = await startPeer();
  const run = await startL7prof([...exactly, "--pid", `${peer.pid}`]);
  await peer.do("short 307");
  await peer.do("initials 101");
  const { summary } = await run.finish();
  const [row] = summary.unreadableTls!;
  expect(row!.connections).toBeGreaterThan(101 + 90); // of its clients all, of its own all but the first few
  expect(row!.connections).toBeLessThanOrEqual(2 * 101);
});

test.each([["other 307"], ["short 307"]])("%s: no QUIC that could be told", async (what) => {
  const peer = await startPeer();
  const run = await startL7prof([...exactly, "--pid", `${peer.pid}`]);
  await peer.do(what);
  const { summary, warnings } = await run.finish();
  expect([summary.unreadableTls, warnings]).toEqual([undefined, []]);
});

test("--port: another port is not asked for, the server's is, from either end", async () => {
  const peer = await startPeer();
  const runs = await Promise.all([
    startL7prof([...exactly, "--pid", `${peer.pid}`, "--port", `${peer.port}`]),
    startL7prof([...exactly, "--pid", `${peer.pid}`, "--port", `${peer.port === 443 ? 444 : 443}`]),
  ]);
  await peer.do("initials 7");
  const [asked, other] = await Promise.all(runs.map((run) => run.finish()));
  expect(asked!.summary.unreadableTls).toMatchObject([{ library, connections: 14 }]);
  expect([other!.summary.unreadableTls, other!.warnings]).toEqual([undefined, []]);
});
