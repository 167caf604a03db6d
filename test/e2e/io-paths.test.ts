/** Whatever call moves the bytes, both ends are seen exactly as the program itself has counted. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Side } from "../../src/core/profile/parties.ts";
import type { Summary } from "../../src/core/profile/window.ts";
import { edgesOf, exactly, l7prof, nothingMissed, parseLines, startL7prof } from "../support/l7prof.ts";
import { load } from "../support/load.ts";
import { inRepo, temporaryDirectory } from "../support/paths.ts";
import { startNodeServer } from "../support/servers.ts";

interface Moved {
  readonly requests: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** Runs a program of test/servers/io-paths, and answers its own count and what l7prof saw of it. */
async function see(program: string, ...args: readonly string[]) {
  const file = join(temporaryDirectory(), "out.ndjson");
  const script = inRepo(`test/servers/io-paths/${program}`);
  const { code, stdout, stderr } = await l7prof(["--json", ...exactly, "-o", file, "--", "python3", script, ...args]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  const summary = parseLines(readFileSync(file, "utf8").split("\n")).at(-1) as unknown as Summary;
  return { summary, counted: JSON.parse(stdout) as Record<string, Moved> };
}

function movedOn(summary: Summary, side: Side): Record<string, Moved> {
  const moved: Record<string, Moved> = {};
  for (const { uri, requests, requestBytes, responseBytes } of edgesOf(summary, side).flatMap((e) => e.endpoints)) {
    const before = moved[uri] ?? { requests: 0, requestBytes: 0, responseBytes: 0 };
    moved[uri] = {
      requests: before.requests + requests,
      requestBytes: before.requestBytes + requestBytes.sum,
      responseBytes: before.responseBytes + responseBytes.sum,
    };
  }
  return moved;
}

test("vectors, peeks, short writes, single bytes, sendfile, splice, bytes thrown away", async () => {
  const { summary, counted } = await see("calls.py");
  expect(movedOn(summary, "server")).toEqual(counted);
  expect(movedOn(summary, "client")).toEqual(counted);
  expect(summary.capture).toMatchObject(nothingMissed);
});

test("sockets passed on, inherited, duplicated, shared by threads and processes, and used again", async () => {
  const { summary, counted } = await see("sockets.py");
  expect(movedOn(summary, "server")).toEqual(counted);
  expect(movedOn(summary, "client")).toEqual(counted);
  // The process that accepted has answered once, the one that it gave the connection to answered the rest.
  const byProcess = new Map<number, number>();
  for (const { process, endpoints } of edgesOf(summary, "server")) {
    const passedOn = endpoints.filter(({ uri }) => uri.startsWith("/passed-on/")).length;
    if (passedOn > 0) byProcess.set(process.pid, passedOn);
  }
  expect([...byProcess.values()].sort((a, b) => a - b)).toEqual([1, 12]);
  expect(summary.capture).toMatchObject(nothingMissed);
});

test("connections reset in mid-message: what went over is counted, and the next connection is whole", async () => {
  const { summary, counted } = await see("broken.py");
  expect(movedOn(summary, "server")).toEqual(counted);
  expect(movedOn(summary, "client")).toEqual(counted);
  // Of 13 of each kind and side: a body and a response head that were cut off; a head that was.
  expect(summary.capture).toMatchObject({ requests: 182, unansweredRequests: 52, unparsedMessages: 26, lostEvents: 0 });
});

test("a sample may hold more than a record: 300,000 bytes of body that one call wrote", async () => {
  const server = await startNodeServer();
  const args = ["--pid", `${server.pid}`, "--slow", "0", "--max-response-size", "1m", "--count", "1"];
  const run = await startL7prof([...exactly, ...args]);
  await load([{ path: "/size/300000" }], { port: server.port, count: 1 });
  const { samples } = await run.finished();
  expect(samples).toHaveLength(1);
  expect(samples[0]!.response).toMatchObject({ bodyBytes: 300_000, truncated: false, body: "x".repeat(300_000) });
});
