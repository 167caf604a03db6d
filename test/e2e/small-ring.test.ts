import { expect, test } from "vitest";
import type { Capture } from "../../src/core/profile/window.ts";
import { edgesOf, type Run, startL7prof } from "../support/l7prof.ts";
import { connectRaw, getRequest, type RawConnection } from "../support/raw-client.ts";
import { startNodeServer } from "../support/servers.ts";
import { tallyOf } from "../support/tally.ts";
import { until } from "../support/until.ts";

const connections = 8;
const lostRounds = 200;
/** What the ring has room for while nobody reads it: about 400 bytes an exchange. */
const roundsAtOnce = 5;
const batches = 10;
const settings = ["--raw-uris", "--interval", "200ms", "--buffer-size", "32768"];
/** However busy the machine is. */
const waitMs = 30_000;

test("a full ring: losses are counted and named, and the streams are right again afterwards", async () => {
  const server = await startNodeServer();
  const open = await Promise.all(
    Array.from({ length: connections }, () => connectRaw({ port: server.port, host: "127.0.0.1" })),
  );
  const run = await startL7prof([...settings, "--pid", `${server.pid}`]);
  await getOnEach(open, "/hello");

  run.signal("SIGSTOP");
  for (let round = 0; round < lostRounds; round++) await getOnEach(open, "/lost");
  await server.counters(); // its last calls have returned
  run.signal("SIGCONT");

  const before = await requestsAfterTheLoss(run);
  for (let batch = 1; batch <= batches; batch++) {
    run.signal("SIGSTOP"); // as slow as a machine can be
    for (let round = 0; round < roundsAtOnce; round++) await getOnEach(open, "/hello");
    run.signal("SIGCONT");
    const wanted = before + batch * roundsAtOnce * connections;
    await until("l7prof has read that many requests", () => requestsSeen(run) >= wanted, waitMs);
  }
  await server.counters();
  const { summary } = await run.finish();
  const tally = tallyOf(edgesOf(summary, "server"));
  expect(summary.capture.lostEvents).toBeGreaterThan(0);
  expect(summary.capture.coverage).toBeLessThan(1);
  expect(tally.exchanges["GET /hello 200"]).toBe((1 + batches * roundsAtOnce) * connections);
  expect(tally.exchanges["GET /lost 404"]).toBeLessThan(lostRounds * connections);
  expect(Object.keys(tally.exchanges).sort()).toEqual(["GET /hello 200", "GET /lost 404"]);
});

/** Nothing came since, and between two windows the ring is read to its end. */
async function requestsAfterTheLoss(run: Run): Promise<number> {
  await until("two windows after the loss", () => windowsAfterTheLoss(run) >= 2, waitMs);
  return requestsSeen(run);
}

function windowsAfterTheLoss(run: Run): number {
  const lines = run.lines();
  const told = lines.findIndex((line) => line.type === "warning" && line.code === "lost-events");
  return told === -1 ? 0 : lines.slice(told).filter(({ type }) => type === "metrics").length;
}

/** As the last window has it, which counts from the start. */
function requestsSeen(run: Run): number {
  const last = run.lines().findLast((line) => line.type === "metrics") as { capture?: Capture } | undefined;
  return last?.capture?.requests ?? 0;
}

async function getOnEach(open: readonly RawConnection[], path: string) {
  await Promise.all(
    open.map(async (connection) => {
      await connection.write(getRequest(path));
      await connection.response();
    }),
  );
}
