import { expect, test } from "vitest";
import { edgesOf, profile } from "../support/l7prof.ts";
import { connectRaw, getRequest } from "../support/raw-client.ts";
import { startNodeServer } from "../support/servers.ts";
import { tallyOf } from "../support/tally.ts";

test("a keep-alive connection opened before the start counts from its next message", async () => {
  const server = await startNodeServer();
  const connection = await connectRaw({ port: server.port, host: "127.0.0.1" });
  const get = async (path: string) => {
    await connection.write(getRequest(path));
    await connection.response();
  };
  for (let sent = 0; sent < 7; sent++) await get("/before");

  const { summary } = await profile(["--pid", `${server.pid}`], async () => {
    for (let sent = 0; sent < 101; sent++) await get("/hello");
    await server.counters();
  });
  expect(tallyOf(edgesOf(summary, "server"))).toMatchObject({
    exchanges: { "GET /hello 200": 101 },
    requestBytes: 101 * getRequest("/hello").length,
  });
  expect(summary.capture).toMatchObject({ lostEvents: 0, coverage: 1, orphanResponses: 0 });
});

test("a request that is under way at the start spoils nothing that follows", async () => {
  const server = await startNodeServer();
  const connection = await connectRaw({ port: server.port, host: "127.0.0.1" });
  await connection.write(getRequest("/slow/1500"));

  const { summary } = await profile(["--pid", `${server.pid}`], async () => {
    await connection.response();
    for (let sent = 0; sent < 5; sent++) {
      await connection.write(getRequest("/hello"));
      await connection.response();
    }
    await server.counters();
  });
  expect(tallyOf(edgesOf(summary, "server")).exchanges).toEqual({ "GET /hello 200": 5 });
});
