import { describe, expect, it } from "vitest";
import type { EdgeProfile } from "../../src/core/profile/edge.ts";
import type { Side } from "../../src/core/profile/parties.ts";
import { topologyOf } from "../../src/core/topology.ts";
import { outputs } from "../../src/output/index.ts";
import { view } from "./fixture.ts";

const none = { count: 0, sum: 0, min: 0, max: 0, mean: 0, p50: 0, p75: 0, p90: 0, p95: 0, p99: 0 };

interface End {
  readonly pid: number | null;
  readonly comm: string | null;
}

function edge(side: Side, self: End, peer: End, port: number | null, requests: number, p95 = 5): EdgeProfile {
  return {
    side,
    process: { pid: self.pid!, comm: self.comm! },
    peer: { ...peer, address: "10.0.0.7", port },
    protocol: "http",
    requests,
    cpm: 60 * requests,
    inFlight: 0,
    statuses: { 200: requests - 1, 503: 1 },
    statusCpm: {},
    requestBytes: none,
    responseBytes: none,
    durationMs: { ...none, count: requests, p95 },
    ttfbMs: none,
    endpoints: [],
  };
}

const web = { pid: 10, comm: "web" };
const inPod = {
  container: { id: "f".repeat(64), runtime: null, name: "app", pod: { uid: "u", name: "web-0", namespace: "shop" } },
};
const shop = { pid: 20, comm: "shop" };
const nobody = { pid: null, comm: null };

describe("the graph of a run", () => {
  it("makes one link of what was seen from both sides, as the client saw it", () => {
    const links = topologyOf([edge("server", shop, web, null, 7, 3), edge("client", web, shop, 80, 7, 4)]);
    expect(links).toMatchObject([
      { caller: { pid: 10 }, called: { pid: 20, port: null }, requests: 7, errors: 1, sides: ["client", "server"] },
    ]);
    expect(links[0]!.durationMs.p95).toBe(4);
  });

  it("adds up two ports of one process, which its server's side does not tell apart", () => {
    const asked = [edge("client", web, shop, 80, 7), edge("client", web, shop, 81, 5)];
    expect(topologyOf([...asked, edge("server", shop, web, null, 12)])).toMatchObject([{ requests: 12 }]);
  });

  it("knows an address that is no process by its port, and a name that is several by its address", () => {
    const links = topologyOf([
      edge("client", web, nobody, 80, 9),
      edge("client", web, nobody, 81, 8),
      edge("server", web, { pid: null, comm: "curl" }, null, 7),
    ]);
    expect(links.map(({ caller, called, requests }) => [caller.comm, called.port, requests])).toEqual([
      ["web", 80, 9],
      ["web", 81, 8],
      ["curl", null, 7],
    ]);
  });
});

const summary = {
  timeUs: 0,
  windowMs: 1000,
  ended: "signal" as const,
  capture: {} as never,
  top: { slow: [], "4xx": [], "5xx": [] },
  samplesHeldBack: 0,
  edges: [
    edge("client", web, { pid: 30, comm: '"]; x -> y [a="\\' }, 80, 1234),
    edge("server", web, { pid: null, comm: "curl\u001b[2J" }, null, 17),
    edge("client", { pid: 30, comm: "a|b<c>&#d" }, nobody, 5432, 3),
  ],
};

function render(format: "topology" | "dot" | "mermaid"): string {
  return outputs[format](view({ format })).summary(summary);
}

it("as lines", () => {
  expect(render("topology")).toBe(`web[10] → "]; x -> y [a="\\[30]    1,234 requests  p95 5.0ms  <0.1 % errors
curl\\x1b[2J (10.0.0.7) → web[10]  17 requests  p95 5.0ms  5.9 % errors
a|b<c>&#d[30] → 10.0.0.7:5432     3 requests  p95 5.0ms  33.3 % errors
`);
});

it("for Graphviz: whatever a name holds stays within its quotes", () => {
  expect(render("dot")).toBe(`digraph l7prof {
  rankdir=LR;
  node [shape=box];
  n1 [label="web[10]"];
  n2 [label="\\"]; x -> y [a=\\"\\\\[30]"];
  n3 [label="curl\\\\x1b[2J (10.0.0.7)"];
  n4 [label="10.0.0.7:5432"];
  n1 -> n2 [label="1,234 requests\\np95 5.0ms\\n<0.1 % errors"];
  n3 -> n1 [label="17 requests\\np95 5.0ms\\n5.9 % errors"];
  n2 -> n4 [label="3 requests\\np95 5.0ms\\n33.3 % errors"];
}
`);
});

it("for Mermaid: what would be markup is an entity code", () => {
  const text = render("mermaid");
  expect(text).toContain('  n2["#34;]; x -#62; y [a=#34;#92;[30]"]\n');
  expect(text).toContain('  n1 -->|"1,234 requests<br>p95 5.0ms<br>#60;0.1 % errors"| n2\n');
});

it("says where a process runs", () => {
  const inAPod = {
    ...summary.edges[0]!,
    process: { ...web, ...inPod },
    peer: { ...shop, unit: "shop.service", address: "::1", port: 80 },
  };
  const text = outputs.topology(view({ format: "topology" })).summary({ ...summary, edges: [inAPod] });
  expect(text).toMatch(/^web\[10\] in shop\/web-0 → shop\[20\] in shop\.service {2}1,234 requests/);
});
