import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { startChild } from "../support/child.ts";
import { edgesOf, exactly, startL7prof } from "../support/l7prof.ts";
import { inRepo } from "../support/paths.ts";
import { connectRaw, getRequest } from "../support/raw-client.ts";
import { startNodeServer } from "../support/servers.ts";
import { tallyOf } from "../support/tally.ts";

interface Moved {
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** Memory of its own, without what it shares with the kernel and what is code, in MiB. */
function memoryOf(pid: number): number {
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
}

test("1 GiB up and 1 GiB down, seen from both ends: every byte counted, few copied, and memory does not grow", async () => {
  const program = startChild("python3", [inRepo("test/servers/io-paths/large.py")]);
  await program.line(/^ready/);
  const run = await startL7prof([...exactly, "--pid", `${program.pid}`]);
  const before = memoryOf(run.pid);
  const moved: Moved[] = [];
  for (const way of ["up", "down", "at leisure"]) moved.push(JSON.parse((await program.ask(way, /^\{.*/))[0]) as Moved);
  const grownBy = memoryOf(run.pid) - before;
  const { summary } = await run.finish();

  for (const side of ["server", "client"] as const) {
    const tally = tallyOf(edgesOf(summary, side));
    expect(tally.exchanges).toEqual({ "PUT /up 201": 1, "GET /down 200": 2 });
    expect(tally.requestBytes).toBe(moved.reduce((sum, { requestBytes }) => sum + requestBytes, 0));
    expect(tally.responseBytes).toBe(moved.reduce((sum, { responseBytes }) => sum + responseBytes, 0));
  }
  expect(summary.capture).toMatchObject({ exchanges: 6, lostEvents: 0, coverage: 1 });
  expect(summary.capture.capturedBytes).toBeLessThan(48 << 20);
  expect(grownBy).toBeLessThan(48);
});

test("server-sent events over three seconds: one exchange in flight, then one with every byte", async () => {
  const server = await startNodeServer();
  const run = await startL7prof(["--raw-uris", "--pid", `${server.pid}`]);
  const connection = await connectRaw({ port: server.port, host: "127.0.0.1" });
  await connection.write(getRequest("/events/150"));
  await run.waitFor((line) => line.type === "metrics" && inFlightOf(line) === 1);
  await connection.until("\r\n0\r\n\r\n");
  const { summary } = await run.finish();

  expect(tallyOf(edgesOf(summary, "server"))).toEqual(await server.counters());
  expect(summary.edges[0]).toMatchObject({ requests: 1, inFlight: 0 });
  expect(summary.edges[0]!.durationMs.min).toBeGreaterThan(150 * 20);
  expect(summary.capture).toMatchObject({ exchanges: 1, lostEvents: 0, coverage: 1 });
});

function inFlightOf(metrics: Readonly<Record<string, unknown>>): number | undefined {
  return (metrics.edges as { inFlight: number }[])[0]?.inFlight;
}
