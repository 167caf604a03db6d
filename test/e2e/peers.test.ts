/** Who is at the other end, without that process being a target. */
import { execFileSync } from "node:child_process";
import { copyFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { TopologyLink } from "../../src/core/topology.ts";
import { runChild, startChild } from "../support/child.ts";
import { edgesOf, exactly, profile, startL7prof } from "../support/l7prof.ts";
import { addRoute, connectNamespaces, createNamespace, runIn } from "../support/network.ts";
import { inRepo, temporaryDirectory } from "../support/paths.ts";
import { connectRaw, getRequest } from "../support/raw-client.ts";
import { startClient, startNodeServer, startPythonServer } from "../support/servers.ts";

test("a client's server and a server's client", async () => {
  const [server, client] = await Promise.all([startPythonServer(), startClient()]);
  for (const [side, target, other] of [["client", client, server] as const, ["server", server, client] as const]) {
    const { summary } = await profile(["--pid", `${target.pid}`], () => client.get(server.port, "/hello", 7));
    expect(edgesOf(summary, side)).toMatchObject([{ requests: 7, peer: { pid: other.pid } }]);
    expect(summary.edges[0]!.peer.comm).toBe(side === "client" ? "python3" : "node");
  }
});

test("of a connection that was open before", async () => {
  const [server, client] = await Promise.all([startNodeServer(), startClient()]);
  await client.get(server.port, "/hello", 3);
  for (const [target, other] of [[client, server] as const, [server, client] as const]) {
    const { summary } = await profile(["--pid", `${target.pid}`], () => client.get(server.port, "/hello", 5));
    expect(summary.edges).toMatchObject([{ requests: 5, peer: { pid: other.pid, comm: "node" } }]);
  }
});

test("over a unix socket, from both ends, opened before and after the start", async () => {
  const path = join(temporaryDirectory(), "app.sock");
  const server = await startNodeServer(["--path", path]);
  const get = ["--unix-socket", path, "-s", "-o", "/dev/null", "http://test/hello"];
  const before = await connectRaw({ path });
  const ask = async () => {
    await before.write(getRequest("/hello"));
    await before.response();
  };
  await ask();
  const { summary } = await profile(["--pid", `${server.pid}`], async () => {
    await ask();
    await runChild("curl", get);
  });
  const comms = summary.edges.map(({ peer }) => peer.comm);
  expect(comms.toSorted()).toEqual(["curl", "node"]);
  expect(summary.edges.find(({ peer }) => peer.comm === "node")!.peer.pid).toBe(process.pid);

  const run = await startL7prof([...exactly, "--", "curl", ...get]);
  const asked = await run.finished();
  expect(asked.summary.edges).toMatchObject([{ side: "client", peer: { pid: server.pid, comm: "node" } }]);
});

test("over unix sockets that are accepted late, at addresses that other sockets had before", async () => {
  const path = join(temporaryDirectory(), "app.sock");
  const programs = startChild("python3", [inRepo("test/servers/late-accept.py"), path, "53"]);
  const [, server, client] = await programs.line(/^ready (\d+) (\d+)$/);
  const { summary } = await profile(["--pid", `${client}`, "--no-follow"], () => programs.ask("", /^done$/));
  expect(summary.edges.map(({ requests, peer }) => [requests, peer.pid])).toEqual([[53, Number(server)]]);
});

test("in another network namespace, straight and through NAT of address and port", async () => {
  const [inside, router, outside] = [createNamespace(), createNamespace(), createNamespace()];
  connectNamespaces({ namespace: inside, address: "10.77.1.2/24" }, { namespace: router, address: "10.77.1.1/24" });
  connectNamespaces({ namespace: outside, address: "10.77.2.2/24" }, { namespace: router, address: "10.77.2.1/24" });
  addRoute(inside, "default", "10.77.1.1");
  addRoute(outside, "default", "10.77.2.1");
  runIn(router, "sysctl", "-qw", "net.ipv4.ip_forward=1");
  runIn(
    router,
    "nft",
    `table ip test {
      chain in { type nat hook prerouting priority -100; ip daddr 10.77.2.1 tcp dport 80 dnat to 10.77.1.2:8080; }
      chain out { type nat hook postrouting priority 100; ip daddr 10.77.1.2 masquerade; }
    }`,
  );
  const server = startChild(
    ...inside.run("node", [inRepo("test/servers/http-server.js"), "--host", "10.77.1.2", "--port", "8080"]),
  );
  await server.line(/^ready/);
  const [pid] = execFileSync("ip", ["netns", "pids", inside.name], { encoding: "utf8" }).split("\n").map(Number);
  const { summary } = await profile(["--pid", `${pid}`], async () => {
    for (const url of ["http://10.77.1.2:8080/straight", "http://10.77.2.1/translated"]) {
      await runChild(...outside.run("curl", ["-s", "-o", "/dev/null", url]));
    }
  });
  const seen = summary.edges.map(({ peer, endpoints }) => [endpoints[0]!.uri, peer.comm, peer.address]);
  expect(seen.toSorted()).toEqual([
    ["/straight", "curl", "10.77.1.1"],
    ["/translated", "curl", "10.77.1.1"],
  ]);

  // The client sees the address that it asked for, and yet the process that answered; both are one link.
  const both = await profile(["--pid", `${pid}`, "--comm", "curl"], () =>
    runChild(
      ...outside.run("curl", ["-s", "-o", "/dev/null", ...Array<string>(7).fill("http://10.77.2.1/translated")]),
    ),
  );
  const sides = both.summary.edges.map(({ side, peer, requests, bothSides }) => [
    side,
    [peer.comm, peer.address, peer.port, peer.comm === "node" && peer.pid === pid],
    [requests, bothSides?.exchanges],
  ]);
  expect(sides.toSorted()).toEqual([
    ["client", ["node", "10.77.2.1", 80, true], [7, 7]],
    ["server", ["curl", "10.77.1.1", null, false], [7, 7]],
  ]);
  const { topology } = both.summary as unknown as { topology: readonly TopologyLink[] };
  expect(topology).toMatchObject([{ caller: { comm: "curl" }, called: { comm: "node" }, sides: ["client", "server"] }]);
});

test("499 processes that each ask once and end: every one has its name and PID", async () => {
  const server = await startNodeServer();
  const directory = temporaryDirectory();
  const curl = realpathSync(execFileSync("which", ["curl"], { encoding: "utf8" }).trim());
  for (let i = 0; i < 7; i++) copyFileSync(curl, join(directory, `caller${i}`));
  // The URI says who it is: exec keeps the shell's PID.
  const one = `exec ${directory}/caller$1 -s -o /dev/null http://127.0.0.1:${server.port}/caller$1/$$`;
  const all = Array.from({ length: 499 }, (_, i) => i % 7).join("\\n");
  const run = await startL7prof([
    ...exactly,
    "--interval",
    "1h",
    "--pid",
    `${server.pid}`,
    "--slow",
    "0",
    "--max-samples-per-second",
    "100000",
  ]);
  await runChild("sh", ["-c", `printf '${all}\\n' | xargs -P 4 -n 1 sh -c '${one}' x`]);
  const { samples, summary } = await run.finish();
  expect(samples).toHaveLength(499);
  const who = samples.map(({ peer }) => `/${peer.comm}/${peer.pid}`);
  expect(who).toEqual(samples.map(({ request }) => request.uri));
  const byName = new Map<string, number>();
  for (const { peer, requests } of summary.edges) byName.set(peer.comm!, (byName.get(peer.comm!) ?? 0) + requests);
  expect(Object.fromEntries(byName)).toEqual(
    Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`caller${i}`, i < 2 ? 72 : 71])),
  );
  // A few of a name by PID, the rest of that name together.
  expect(summary.edges).toHaveLength(7 * (16 + 1));
});
