import { connect as connectHttp2 } from "node:http2";
import { join } from "node:path";
import { expect, test } from "vitest";
import { edgesOf, exactly, profile, startL7prof } from "../support/l7prof.ts";
import { load } from "../support/load.ts";
import { temporaryDirectory } from "../support/paths.ts";
import { connectRaw, getRequest, type RawConnection } from "../support/raw-client.ts";
import { startClient, startNodeServer } from "../support/servers.ts";
import { tallyOf } from "../support/tally.ts";

async function getHello(connection: RawConnection, count: number) {
  for (let sent = 0; sent < count; sent++) {
    await connection.write(getRequest("/hello"));
    await connection.response();
  }
}

test("the client side: what a process asks, of whom, at which port", async () => {
  const [server, client] = await Promise.all([startNodeServer(), startClient()]);
  const { summary } = await profile(["--pid", `${client.pid}`], async () => {
    await client.get(server.port, "/hello", 61);
    await client.get(server.port, "/slow/50", 3);
  });
  expect(summary.edges).toHaveLength(1);
  const [edge] = summary.edges;
  expect(edge).toMatchObject({
    side: "client",
    process: { pid: client.pid, comm: "node" },
    peer: { pid: server.pid, comm: "node", address: "127.0.0.1", port: server.port },
  });
  expect(tallyOf([edge!])).toEqual(await server.counters());
  expect(edge!.endpoints.find(({ uri }) => uri === "/slow/50")!.durationMs.min).toBeGreaterThanOrEqual(49);
});

test("both ends profiled: one edge each, with the same sizes", async () => {
  const [server, client] = await Promise.all([startNodeServer(), startClient()]);
  const { summary } = await profile(["--pid", `${client.pid},${server.pid}`], () =>
    client.get(server.port, "/hello", 61),
  );
  const [asked, answered] = [edgesOf(summary, "client"), edgesOf(summary, "server")];
  expect(answered[0]).toMatchObject({
    process: { pid: server.pid },
    peer: { pid: client.pid, comm: "node", port: null },
  });
  expect(tallyOf(asked)).toEqual(tallyOf(answered));
});

test("IPv6", async () => {
  const server = await startNodeServer(["--host", "::1"]);
  const { summary } = await profile(["--pid", `${server.pid}`], async () => {
    await getHello(await connectRaw({ port: server.port, host: "::1" }), 23);
  });
  expect(tallyOf(edgesOf(summary, "server"))).toEqual(await server.counters());
  expect(summary.edges[0]!.peer).toMatchObject({ pid: process.pid, address: "::1" });
});

test("IPv4 over an IPv6 socket shows as IPv4", async () => {
  const server = await startNodeServer(["--host", "::"]);
  const { summary } = await profile(["--pid", `${server.pid}`], async () => {
    await getHello(await connectRaw({ port: server.port, host: "127.0.0.1" }), 23);
  });
  expect(tallyOf(edgesOf(summary, "server"))).toEqual(await server.counters());
  expect(summary.edges[0]!.peer).toMatchObject({ pid: process.pid, address: "127.0.0.1" });
});

test("a unix socket", async () => {
  const path = join(temporaryDirectory(), "app.sock");
  const server = await startNodeServer(["--path", path]);
  const { summary } = await profile(["--pid", `${server.pid}`], async () => {
    await getHello(await connectRaw({ path }), 23);
  });
  expect(tallyOf(edgesOf(summary, "server")).exchanges).toEqual({ "GET /hello 200": 23 });
  expect(summary.edges[0]!.peer).toMatchObject({ port: null, address: expect.stringMatching(/^unix:/) });
  expect(summary.capture.coverage).toBe(1);
});

test("an HTTP/2 preface: warned of by process and port", async () => {
  const server = await startNodeServer(["--http2"]);
  const { warnings, summary } = await profile(["--pid", `${server.pid}`], async () => {
    const session = connectHttp2(`http://127.0.0.1:${server.port}`);
    const stream = session.request({ ":path": "/" });
    stream.resume();
    await new Promise((resolve) => stream.once("end", resolve));
    session.destroy();
  });
  const warning = warnings.find(({ code }) => code === "http2");
  expect(warning?.message).toContain("node");
  expect(warning?.message).toContain(`${server.port}`);
  expect(summary.edges).toEqual([]);
});

test("a protocol that is no HTTP: no exchange, no warning, coverage 1", async () => {
  const server = await startNodeServer();
  const { summary, warnings } = await profile(["--pid", `${server.pid}`], async () => {
    const socket = (await connectRaw({ port: server.port, host: "127.0.0.1" })).socket;
    socket.on("error", () => {});
    socket.write(Buffer.from([0, 1, 2, 3, 0x51, 0, 0, 0, 8]));
    await new Promise((resolve) => socket.once("close", resolve));
    await load([{ path: "/hello" }], { port: server.port, count: 3 });
  });
  expect(tallyOf(edgesOf(summary, "server")).exchanges["GET /hello 200"]).toBe(3);
  expect(warnings.filter(({ code }) => code === "lost-events")).toEqual([]);
});

test("a connection that waits at the end is in flight", async () => {
  const server = await startNodeServer();
  const run = await startL7prof([...exactly, "--pid", `${server.pid}`]);
  const connection = await connectRaw({ port: server.port, host: "127.0.0.1" });
  await getHello(connection, 3);
  await connection.write(getRequest("/slow/5000"));
  const { summary } = await run.finish();
  expect(summary.edges[0]).toMatchObject({ requests: 3, inFlight: 1 });
});
