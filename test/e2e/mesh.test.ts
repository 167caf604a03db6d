/** A mesh of real programs, in network namespaces: the graph equals what was set up, request for request. */
import { expect, test } from "vitest";
import type { Side } from "../../src/core/profile/parties.ts";
import type { TopologyLink, TopologyNode } from "../../src/core/topology.ts";
import { exactly, type Result, startL7prof } from "../support/l7prof.ts";
import { type LogLine, startMesh } from "../support/mesh.ts";

const name = ({ comm, address, port }: TopologyNode) => comm ?? `${address}:${port}`;

/** `haproxy → node 211 client+server`, sorted. */
function linksOf({ summary }: Result): string[] {
  const { topology } = summary as unknown as { topology: readonly TopologyLink[] };
  return topology
    .map(({ caller, called, requests, sides }) => `${name(caller)} → ${name(called)} ${requests} ${sides.join("+")}`)
    .toSorted();
}

/** Of the samples of one process, the milliseconds by URI. */
function durationsOf({ samples }: Result, comm: string, side: Side): Map<string, number> {
  const its = samples.filter((sample) => sample.process.comm === comm && sample.side === side);
  return new Map(its.map(({ request, durationMs }) => [request.uri, durationMs]));
}

/** The middle difference; single requests may be held up between a log's clock and a call. */
function medianDifference(log: readonly LogLine[], seen: ReadonlyMap<string, number>, field: "totalMs" | "upstreamMs") {
  const differences = log.map((line) => Math.abs(line[field] - seen.get(line.uri)!)).sort((a, b) => a - b);
  expect(differences).toHaveLength(seen.size);
  return differences[Math.floor(differences.length / 2)]!;
}

test("every process a target: all links, from both sides; durations are those of the proxies' logs", async () => {
  const mesh = await startMesh();
  const everything = ["--interval", "1h", "--slow", "0", "--max-samples-per-second", "100000"];
  const run = await startL7prof([...exactly, ...everything, "--pid", mesh.pids.join()]);
  await mesh.ask("haproxy", 101);
  await mesh.ask("nginx", 61);
  const result = await run.finish();
  expect(linksOf(result)).toEqual(
    [
      "node → haproxy 101 client+server",
      "haproxy → node 101 client+server",
      "node → node 101 client+server",
      "node → nginx 61 client+server",
      "nginx → python3 61 client+server",
      "python3 → node 122 client+server",
    ].toSorted(),
  );
  for (const { bothSides, requests } of result.summary.edges) expect(bothSides!.exchanges).toBe(requests);
  expect(result.summary.capture).toMatchObject({ coverage: 1, lostEvents: 0 });

  const [haproxy, nginx] = [mesh.haproxyLog(), mesh.nginxLog()];
  expect([haproxy.length, nginx.length]).toEqual([101, 61]);
  // HAProxy's and nginx's clocks tick in milliseconds, and stand still while they work through their events.
  expect(medianDifference(haproxy, durationsOf(result, "haproxy", "server"), "totalMs")).toBeLessThan(2);
  expect(medianDifference(haproxy, durationsOf(result, "haproxy", "client"), "upstreamMs")).toBeLessThan(2);
  expect(medianDifference(nginx, durationsOf(result, "nginx", "server"), "totalMs")).toBeLessThan(2);
  expect(medianDifference(nginx, durationsOf(result, "nginx", "client"), "upstreamMs")).toBeLessThan(2);
});

test("one proxy the only target: both of its legs, with names", async () => {
  const mesh = await startMesh();
  const run = await startL7prof([...exactly, "--pid", `${mesh.haproxy}`]);
  await mesh.ask("haproxy", 53);
  expect(linksOf(await run.finish())).toEqual(["haproxy → node 53 client", "node → haproxy 53 server"]);
});
