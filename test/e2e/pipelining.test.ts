import { expect, test } from "vitest";
import { edgesOf, profile } from "../support/l7prof.ts";
import { startNginx } from "../support/nginx.ts";
import { connectRaw, getRequest } from "../support/raw-client.ts";
import { startNodeServer } from "../support/servers.ts";
import { tallyOf } from "../support/tally.ts";

const rounds = 53;
const batch = Array.from({ length: 16 }, (_, index) => (index % 2 === 0 ? "/hello" : `/missing/${index}`));
const expected = Object.fromEntries(batch.map((path) => [path, path === "/hello" ? 200 : 404]));

async function sendPipelined(port: number) {
  const connection = await connectRaw({ port, host: "127.0.0.1" });
  const bytes = batch.map((path) => getRequest(path)).join("");
  for (let round = 0; round < rounds; round++) {
    await connection.write(bytes);
    for (const path of batch) expect((await connection.response()).status).toBe(expected[path]);
  }
  await connection.close();
}

function expectedExchanges() {
  const exchanges: Record<string, number> = {};
  for (const path of batch) {
    const key = `GET ${path} ${expected[path]}`;
    exchanges[key] = (exchanges[key] ?? 0) + rounds;
  }
  return exchanges;
}

test("nginx: 16 requests in one write, 200 and 404 in turn: every status at its URI", async () => {
  const nginx = await startNginx();
  const { summary } = await profile(["--pid", `${nginx.pid}`], async () => {
    await sendPipelined(nginx.port);
    await nginx.accessLog(rounds * batch.length);
  });
  expect(tallyOf(edgesOf(summary, "server")).exchanges).toEqual(expectedExchanges());
});

test("Node: 16 requests in one write, 200 and 404 in turn: every status at its URI", async () => {
  const server = await startNodeServer();
  const { summary } = await profile(["--pid", `${server.pid}`], async () => {
    await sendPipelined(server.port);
    await server.counters();
  });
  expect(tallyOf(edgesOf(summary, "server")).exchanges).toEqual(expectedExchanges());
});

test("requests cut at every byte boundary of the first: counted once each", async () => {
  const server = await startNodeServer();
  const request = getRequest("/hello");
  const { summary } = await profile(["--pid", `${server.pid}`], async () => {
    const connection = await connectRaw({ port: server.port, host: "127.0.0.1" });
    for (let cut = 1; cut < request.length; cut++) {
      await connection.write(request.slice(0, cut));
      await new Promise((resolve) => setTimeout(resolve, 2));
      await connection.write(request.slice(cut));
      await connection.response();
    }
    await server.counters();
  });
  const count = request.length - 1;
  expect(tallyOf(edgesOf(summary, "server"))).toMatchObject({
    exchanges: { "GET /hello 200": count },
    requestBytes: count * request.length,
  });
});
