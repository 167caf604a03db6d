import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { edgesOf, startL7prof } from "../support/l7prof.ts";
import { connectRaw, getRequest, type RawConnection } from "../support/raw-client.ts";
import { startNodeServer } from "../support/servers.ts";
import { tallyOf } from "../support/tally.ts";

const connections = 8;
const rounds = 50;
const settings = ["--raw-uris", "--interval", "200ms", "--buffer-size", "32768"];

test("a full ring: losses are counted and named, and the streams are right again afterwards", async () => {
  const server = await startNodeServer();
  const open = await Promise.all(
    Array.from({ length: connections }, () => connectRaw({ port: server.port, host: "127.0.0.1" })),
  );
  const run = await startL7prof([...settings, "--pid", `${server.pid}`]);
  await getOnEach(open, "/hello");

  run.signal("SIGSTOP");
  for (let round = 0; round < 200; round++) await getOnEach(open, "/lost");
  run.signal("SIGCONT");
  await run.waitFor((line) => line.type === "warning" && line.code === "lost-events");

  for (let round = 0; round < rounds; round++) {
    await getOnEach(open, "/hello");
    await sleep(10);
  }
  await server.counters();
  const { summary } = await run.finish();
  const tally = tallyOf(edgesOf(summary, "server"));
  expect(summary.capture.lostEvents).toBeGreaterThan(0);
  expect(summary.capture.coverage).toBeLessThan(1);
  expect(tally.exchanges["GET /hello 200"]).toBe((1 + rounds) * connections);
  expect(tally.exchanges["GET /lost 404"]).toBeLessThan(200 * connections);
  expect(Object.keys(tally.exchanges).sort()).toEqual(["GET /hello 200", "GET /lost 404"]);
});

async function getOnEach(open: readonly RawConnection[], path: string) {
  await Promise.all(
    open.map(async (connection) => {
      await connection.write(getRequest(path));
      await connection.response();
    }),
  );
}
