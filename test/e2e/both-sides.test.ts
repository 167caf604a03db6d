/** One exchange seen by its client and by its server, and what lies between them. */
import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createCertificate } from "../support/certificate.ts";
import { runChild, startChild } from "../support/child.ts";
import { edgesOf, exactly, startL7prof } from "../support/l7prof.ts";
import { connectSlowly } from "../support/link.ts";
import { createNamespace, type Namespace, runIn } from "../support/network.ts";
import { inRepo, temporaryDirectory } from "../support/paths.ts";
import { connectRaw, getRequest } from "../support/raw-client.ts";
import { startClient, startNodeServer } from "../support/servers.ts";
import { until } from "../support/until.ts";

function retransmittedIn(namespace: Namespace): number {
  const [names, values] = runIn(namespace, "grep", "^Tcp:", "/proc/net/snmp")
    .split("\n")
    .map((line) => line.split(" "));
  return Number(values![names!.indexOf("RetransSegs")]);
}

const schemes = ["http", "https"] as const;
type Scheme = (typeof schemes)[number];

/** A server and a client in two namespaces, with a slow link between them. */
async function acrossALink(scheme: Scheme, options: { delayMs: number; loseEvery?: number }) {
  const [here, there] = [createNamespace(), createNamespace()];
  const link = await connectSlowly(
    { namespace: there, address: "10.78.0.2/24" },
    { namespace: here, address: "10.78.0.1/24" },
    options,
  );
  const where = ["--host", "10.78.0.2", "--port", "8080"];
  const { key, cert } = createCertificate();
  const secrets = scheme === "https" ? ["--key", key, "--cert", cert] : [];
  const server = startChild(...there.run("node", [inRepo("test/servers/http-server.js"), ...where, ...secrets]));
  await server.line(/^ready/);
  // The first packet waits for an address of the other card (RFC 826), which is not what is measured.
  await runChild(...here.run("curl", ["-sk", `${scheme}://10.78.0.2:8080/hello`]));
  await until("it is closed", () => runIn(there, "ss", "-Htn").trim() === "");
  const before = { client: retransmittedIn(here), server: retransmittedIn(there) };
  const pids = execFileSync("ip", ["netns", "pids", there.name], { encoding: "utf8" });
  const get = (count: number, path: string) =>
    runChild(
      ...here.run("curl", [
        "-sk",
        ...Array.from({ length: count }, () => ["-o", "/dev/null", `${scheme}://10.78.0.2:8080${path}`]).flat(),
      ]),
    );
  return {
    link,
    get,
    serverPid: Number(pids.trim()),
    /** Segments sent again, by the count of each namespace (RFC 1213, tcpRetransSegs). */
    retransmitted: () => ({
      client: retransmittedIn(here) - before.client,
      server: retransmittedIn(there) - before.server,
    }),
    untilClosed: () => until("the connections are closed", () => runIn(there, "ss", "-Htn").trim() === ""),
  };
}

test("on one machine: every exchange is joined, whichever side is seen first", async () => {
  const [server, client] = await Promise.all([startNodeServer(), startClient()]);
  const run = await startL7prof([
    ...exactly,
    "--interval",
    "1h",
    "--pid",
    `${client.pid},${server.pid}`,
    "--slow",
    "0",
    "--max-samples-per-second",
    "100000",
  ]);
  await client.get(server.port, "/hello", 1009);
  await client.get(server.port, "/slow/50", 7);
  const { summary, samples } = await run.finish();
  const [asked] = edgesOf(summary, "client");
  const [answered] = edgesOf(summary, "server");
  expect(asked!.bothSides!.exchanges).toBe(1016);
  expect(answered!.bothSides).toEqual(asked!.bothSides);
  expect(asked!.bothSides!.clientMs).toEqual(asked!.durationMs);
  expect(asked!.bothSides!.serverMs).toEqual(answered!.durationMs);
  expect(samples).toHaveLength(2 * 1016);
  for (const { side, durationMs, bothSides } of samples) {
    expect(bothSides![side === "client" ? "clientMs" : "serverMs"]).toBe(durationMs);
    expect(bothSides!.transitMs).toBeCloseTo(bothSides!.clientMs - bothSides!.serverMs, 4);
  }
  expect(summary.capture.coverage).toBe(1);
});

test("over a unix socket: of connections that were opened while l7prof looked", async () => {
  const path = join(temporaryDirectory(), "app.sock");
  const server = await startNodeServer(["--path", path]);
  const before = await connectRaw({ path });
  const ask = async () => {
    await before.write(getRequest("/hello"));
    await before.response();
  };
  await ask();
  const run = await startL7prof([...exactly, "--pid", `${server.pid},${process.pid}`, "--comm", "curl", "--slow", "0"]);
  const urls = (count: number, name: string) => Array.from({ length: count }, () => `http://test${name}`);
  const curl = (...asked: string[]) => runChild("curl", ["-s", "-o", "/dev/null", "--unix-socket", path, ...asked]);
  await curl(...urls(23, "/hello"));
  await curl(...urls(7, "/slow/20"), ...urls(5, "/size/1000"));
  await ask();
  const { summary, samples } = await run.finish();
  const joined = summary.edges.filter((edge) => edge.bothSides);
  const rows = joined.map(({ side, requests, bothSides }) => [side, requests, bothSides!.exchanges]);
  expect(rows.toSorted()).toEqual([
    ["client", 12, 12],
    ["client", 23, 23],
    ["server", 12, 12],
    ["server", 23, 23],
  ]);
  // Where the connection stood when it was joined in the middle, nobody knows.
  const rest = summary.edges.filter((edge) => !edge.bothSides).map(({ side, requests }) => [side, requests]);
  expect(rest.toSorted()).toEqual([
    ["client", 1],
    ["server", 1],
  ]);
  for (const { side, durationMs, bothSides, request, response } of samples) {
    if (bothSides) expect(bothSides[side === "client" ? "clientMs" : "serverMs"]).toBe(durationMs);
    if (bothSides && request.uri === "/slow/20") expect(bothSides.serverMs).toBeGreaterThanOrEqual(19);
    expect(response.status).toBe(200);
  }
  expect(samples.filter(({ bothSides }) => bothSides)).toHaveLength(2 * 35);
  before.close();
});

test.each(schemes)(
  "%s over a link of 20 ms each way: the time on the way is 40 ms, and so is TCP's round trip time",
  async (scheme) => {
    const { get, serverPid, untilClosed } = await acrossALink(scheme, { delayMs: 20 });
    const run = await startL7prof([...exactly, "--comm", "curl", "--port", "8080", "--pid", `${serverPid}`]);
    await get(23, "/hello");
    await get(11, "/slow/30");
    await untilClosed();
    const { summary } = await run.finish();
    const isWithinATenth = (ms: number) => ms > 36 && ms < 44;
    expect(summary.edges.map(({ side, requests }) => `${side} ${requests}`).toSorted()).toEqual([
      "client 11",
      "client 23",
      "server 11",
      "server 23",
    ]);
    for (const { side, requests, bothSides, durationMs, tcp } of summary.edges) {
      expect(bothSides!.exchanges).toBe(requests);
      // The least: what a busy machine adds is on the way, too, but not what was set.
      expect(bothSides!.transitMs.min).toSatisfy(isWithinATenth);
      const isSlow = requests === 11;
      expect(durationMs.min).toBeGreaterThanOrEqual((side === "client" ? 39 : 0) + (isSlow ? 29 : 0));
      // The client's also holds how late the server acknowledged its requests: with the response.
      if (side === "server") expect(tcp!.srttMs.min).toSatisfy(isWithinATenth);
      if (side === "client") expect(tcp!.connectMs.min).toSatisfy(isWithinATenth);
      const isClient = side === "client" ? 1 : 0;
      expect(tcp).toMatchObject({ retransmits: 0, closes: 1, resets: 0, connects: isClient, accepts: 1 - isClient });
    }
  },
);

test.each(schemes)(
  "%s over a link that loses every tenth segment with data: what each side sent again equals the kernel's own count",
  async (scheme) => {
    const { link, get, serverPid, retransmitted, untilClosed } = await acrossALink(scheme, {
      delayMs: 5,
      loseEvery: 10,
    });
    const run = await startL7prof([...exactly, "--comm", "curl", "--port", "8080", "--pid", `${serverPid}`]);
    await get(101, "/size/1000");
    await untilClosed();
    const counted = retransmitted();
    const lost = await link.lost();
    const { summary } = await run.finish();
    const seen = Object.fromEntries(summary.edges.map(({ side, tcp }) => [side, tcp!.retransmits]));
    expect(seen).toEqual(counted);
    expect(lost).toBeGreaterThan(10);
    expect(seen.server).toBeGreaterThanOrEqual(lost);
    expect(summary.edges.map(({ requests, bothSides }) => [requests, bothSides!.exchanges])).toEqual([
      [101, 101],
      [101, 101],
    ]);
  },
);

test("connections that are refused, reset and aborted", async () => {
  const server = await startNodeServer();
  const script = `
    const net = require("node:net"), port = ${server.port};
    const get = (end) => new Promise((done) => {
      const socket = net.connect(port, "127.0.0.1", () => socket.write("GET /hello HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"));
      socket.once("data", () => { end(socket); socket.once("close", done); });
    });
    const refused = () => new Promise((done) => net.connect(1, "127.0.0.1").once("error", done));
    (async () => {
      for (let i = 0; i < 3; i++) await get((socket) => socket.end());
      for (let i = 0; i < 5; i++) await get((socket) => socket.resetAndDestroy());
      for (let i = 0; i < 7; i++) await refused();
    })();`;
  const run = await startL7prof([...exactly, "--pid", `${server.pid}`, "--comm", "caller"]);
  const caller = join(temporaryDirectory(), "caller");
  symlinkSync(process.execPath, caller);
  await runChild(caller, ["-e", script]);
  const { summary } = await run.finish();
  expect(edgesOf(summary, "server").map(({ tcp }) => tcp)).toMatchObject([{ accepts: 8, closes: 8, resets: 5 }]);
  const asked = edgesOf(summary, "client");
  expect(asked.find(({ peer }) => peer.port === server.port)!.tcp).toMatchObject({
    connects: 8,
    closes: 8,
    aborts: 5,
    failedConnects: 0,
  });
  expect(asked.find(({ peer }) => peer.port === 1)).toMatchObject({
    requests: 0,
    peer: { address: "127.0.0.1" },
    tcp: { failedConnects: 7, connects: 0 },
  });
});
