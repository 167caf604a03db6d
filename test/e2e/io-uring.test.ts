/** A server whose sockets no read or write call ever sees: what its clients and the server itself count is seen. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { Summary } from "../../src/core/profile/window.ts";
import { edgesOf, exactly, nothingMissed, startL7prof } from "../support/l7prof.ts";
import { load } from "../support/load.ts";
import { inRepo, temporaryDirectory } from "../support/paths.ts";
import { connectRaw, getRequest } from "../support/raw-client.ts";
import { type Server, startServer } from "../support/servers.ts";
import { tallyOf } from "../support/tally.ts";

const binary = join(inRepo("tmp"), "io-uring-server");
const COUNT = 101;
const FRESH_COUNT = 7;

beforeAll(() => {
  const source = inRepo("test/servers/io-uring/server.c");
  execFileSync("clang-19", ["-O2", "-Wall", "-Wextra", "-Werror", "-o", binary, source, "-luring"]);
});

/** It ends, and says what it has moved. */
async function countOf(server: Server) {
  const { requests, ...bytes } = JSON.parse((await server.ask("end", /^\{.*/))[0]);
  return { exchanges: { "GET /hello 200": requests }, ...bytes };
}

function seenBy({ capture }: Summary) {
  const { lostEvents, coverage, unparsedMessages, orphanResponses, unansweredRequests } = capture;
  return { lostEvents, coverage, unparsedMessages, orphanResponses, unansweredRequests };
}

const modes = [
  "recv send",
  "recvmsg sendmsg",
  "read write",
  "readv writev",
  "select two",
  "provide linked",
  "multishot zc",
  "recv send sqpoll",
  "recv two defer",
  "recvmsg send async",
  "multishot two direct",
  "multishot-msg send",
];

test(`every way to ask for bytes: ${modes.join(", ")}`, async () => {
  const servers = await Promise.all(modes.map((mode) => startServer(binary, mode.split(" "))));
  const run = await startL7prof([...exactly, "--pid", servers.map(({ pid }) => pid).join(",")]);
  for (const { port } of servers) {
    await load([{ path: "/hello" }], { port, count: COUNT, connections: 5 });
    await load([{ path: "/hello" }], { port, count: FRESH_COUNT, fresh: true });
  }
  const { summary, warnings } = await run.finish();
  const counted = await Promise.all(servers.map(countOf));

  const seen = servers.map(({ pid }) => tallyOf(edgesOf(summary, "server", [pid])));
  expect(Object.fromEntries(modes.map((mode, i) => [mode, seen[i]]))).toEqual(
    Object.fromEntries(modes.map((mode, i) => [mode, counted[i]])),
  );
  for (const { exchanges } of counted) expect(exchanges).toEqual({ "GET /hello 200": COUNT + FRESH_COUNT });
  expect(seenBy(summary)).toEqual(nothingMissed);
  expect(warnings).toEqual([]);
});

test("requests that waited when l7prof came", async () => {
  const servers = await Promise.all(
    ["multishot send", "select sendmsg", "recv write"].map((mode) => startServer(binary, mode.split(" "))),
  );
  const connections = await Promise.all(
    servers.flatMap(({ port }) => [1, 2, 3].map(() => connectRaw({ port, host: "127.0.0.1" }))),
  );
  const askAll = async (rounds: number) => {
    for (let round = 0; round < rounds; round++) {
      for (const connection of connections) {
        await connection.write(getRequest("/hello"));
        await connection.response();
      }
    }
  };
  await askAll(1);
  const run = await startL7prof([...exactly, "--pid", servers.map(({ pid }) => pid).join(",")]);
  await askAll(17);
  const { summary } = await run.finish();

  for (const { pid } of servers) {
    expect(tallyOf(edgesOf(summary, "server", [pid])).exchanges).toEqual({ "GET /hello 200": 3 * 17 });
  }
  expect(seenBy(summary)).toEqual(nothingMissed);
});

test("a request that waited when l7prof came, and whose header is gone: said to be unreadable, the next ones count", async () => {
  const server = await startServer(binary, ["recvmsg", "send"]);
  const connection = await connectRaw({ port: server.port, host: "127.0.0.1" });
  const ask = async () => {
    await connection.write(getRequest("/hello"));
    await connection.response();
  };
  await ask();
  const run = await startL7prof([...exactly, "--pid", `${server.pid}`]);
  for (let round = 0; round < 18; round++) await ask();
  const { summary, warnings } = await run.finish();
  await countOf(server);

  expect(tallyOf(edgesOf(summary, "server")).exchanges).toEqual({ "GET /hello 200": 17 });
  expect(warnings.map(({ code }) => code)).toContain("io-uring");
});

test("a unix socket: its connections end when io_uring closes them", async () => {
  const path = join(temporaryDirectory(), "uring.sock");
  const server = await startServer(binary, ["recv", "two", path]);
  const run = await startL7prof([...exactly, "--pid", `${server.pid}`]);
  for (let round = 0; round < 13; round++) {
    const connection = await connectRaw({ path });
    await connection.write(getRequest("/hello"));
    await connection.response();
    await connection.write("GET /unfinished HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n");
    await connection.response();
    await connection.close();
  }
  const { summary } = await run.finish();
  await countOf(server);

  expect(tallyOf(edgesOf(summary, "server")).exchanges).toEqual({ "GET /hello 200": 13, "GET /unfinished 200": 13 });
  expect(seenBy(summary)).toEqual(nothingMissed);
});

test("a request in many pieces, and many in one", async () => {
  const server = await startServer(binary, ["multishot", "sendmsg"]);
  const run = await startL7prof([...exactly, "--pid", `${server.pid}`]);
  const connection = await connectRaw({ port: server.port, host: "127.0.0.1" });
  for (const byte of getRequest("/hello")) await connection.write(byte);
  await connection.response();
  await connection.write(getRequest("/hello").repeat(37));
  for (let answered = 0; answered < 37; answered++) await connection.response();
  const { summary } = await run.finish();

  expect(tallyOf(edgesOf(summary, "server"))).toEqual(await countOf(server));
  expect(seenBy(summary)).toEqual(nothingMissed);
});

test("sends without a completion can't be read: said at once, and at the end of how many connections", async () => {
  const server = await startServer(binary, ["recv", "silent"]);
  const run = await startL7prof([...exactly, "--pid", `${server.pid}`]);
  await load([{ path: "/hello" }], { port: server.port, count: 30, connections: 3 });
  const { summary, warnings } = await run.finish();
  await countOf(server);

  const who = `io-uring-server[${server.pid}] port ${server.port} io_uring, not readable`;
  expect(warnings.filter(({ code }) => code === "io-uring").map(({ message }) => message)).toEqual([
    `${who}: counts are too low`,
    `${who}: 3 connections`,
  ]);
  expect(summary.capture).toMatchObject({ requests: 30, exchanges: 0, unansweredRequests: 30 });
  expect(summary.capture.coverage).toBeLessThan(1);
});
