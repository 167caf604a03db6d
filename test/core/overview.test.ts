/** Endpoints over all edges, the distributions of a selection, and totals that begin anew. */
import { describe, expect, it } from "vitest";
import { edgeKey, endpointKey } from "../../src/core/overview.ts";
import { answer, get } from "./messages.ts";
import { startProfiling } from "./profiling.ts";

const SECOND = 1000;

function start(options = {}) {
  return startProfiling({ mergesEndpoints: true, ...options });
}

describe("endpoints of all edges", () => {
  it("are one row a program and side, whoever asked; those of two servers that are called stay two", () => {
    const { wire, profiler } = start();
    for (const remote of ["10.0.0.7:5000", "10.0.0.8:5000"]) {
      wire.connection({ pid: 1, comm: "shop", remote }).read(get("/a")).write(answer(200)).read(get("/a"));
    }
    wire.connection({ pid: 2, comm: "shop", remote: "10.0.0.7:5001" }).read(get("/a")).write(answer(404));
    wire.connection({ pid: 3, comm: "other", remote: "10.0.0.7:5002" }).read(get("/a")).write(answer(200));
    for (const remote of ["10.0.0.9:81", "10.0.0.9:82"]) {
      wire.connection({ pid: 1, comm: "shop", remote }).write(get("/a")).read(answer(200));
    }
    const { endpoints, edges } = profiler.endWindow(0, SECOND);
    const rows = endpoints!.map(({ side, comm, called, statuses }) => [side, comm, called?.port, statuses]);
    expect(rows).toEqual([
      ["server", "shop", undefined, { 200: 2, 404: 1 }],
      ["server", "other", undefined, { 200: 1 }],
      ["client", "shop", 81, { 200: 1 }],
      ["client", "shop", 82, { 200: 1 }],
    ]);
    expect(new Set(endpoints!.map(endpointKey)).size).toBe(4);
    expect(new Set(edges.map(edgeKey)).size).toBe(edges.length);
    expect(endpoints![0]!.durationMs.count).toBe(3);
  });

  it("of one edge alone are that edge's, to the last digit", () => {
    const { wire, profiler } = start();
    const c = wire.connection();
    for (let i = 0; i < 50; i++) c.read(get(`/${i % 7}`)).write(answer(200));
    const { endpoints, edges } = profiler.total(0, SECOND);
    const { side, process } = edges[0]!;
    expect(endpoints).toEqual(
      edges[0]!.endpoints.map((endpoint) => ({ side, comm: process.comm, called: null, ...endpoint })),
    );
  });

  it("merging leaves the edges as they were", () => {
    const { wire, profiler } = start();
    for (const remote of ["10.0.0.7:5000", "10.0.0.8:5000"])
      wire.connection({ remote }).read(get("/")).write(answer(200));
    const first = profiler.total(0, SECOND);
    expect(profiler.total(0, SECOND)).toEqual(first);
    expect(first.edges.map(({ requests }) => requests)).toEqual([1, 1]);
  });

  it("are hosts where exchanges are grouped by host", () => {
    const { wire, profiler } = start({ groupBy: "host" });
    const c = wire.connection();
    for (const host of ["a", "b", "a"]) c.read(get("/").replace("Host: h", `Host: ${host}`)).write(answer(200));
    const { endpoints } = profiler.total(0, SECOND);
    expect(endpoints!.map(({ method, uri, requests }) => [method, uri, requests])).toEqual([
      ["", "a", 2],
      ["", "b", 1],
    ]);
  });
});

describe("the distributions of a selection", () => {
  it("have buckets that add up to its count", () => {
    const { wire, profiler } = start();
    wire.connection({ remote: "10.0.0.7:5000" }).read(get("/a")).write(answer(200)).read(get("/b")).write(answer(200));
    wire.connection({ remote: "10.0.0.8:5000" }).read(get("/a")).write(answer(200));
    wire.connection({ pid: 2, remote: "10.0.0.9:80" }).write(get("/c")).read(answer(200));
    const { edges, endpoints } = profiler.total(0, SECOND);
    const a = endpointKey(endpoints!.find(({ uri }) => uri === "/a")!);
    const edge = edgeKey(edges[0]!);
    const count = (focus: Parameters<typeof profiler.distributions>[0]) => {
      const { requests, durationMs } = profiler.distributions(focus, SECOND);
      expect(durationMs.buckets!.reduce((sum, [, inBucket]) => sum + inBucket, 0)).toBe(requests);
      return requests;
    };
    expect(count({ side: "server", edge: null, endpoint: null })).toBe(3);
    expect(count({ side: "client", edge: null, endpoint: null })).toBe(1);
    expect(count({ side: "server", edge: null, endpoint: a })).toBe(2);
    expect(count({ side: "server", edge, endpoint: null })).toBe(2);
    expect(count({ side: "server", edge, endpoint: a })).toBe(1);
  });
});

describe("reset", () => {
  it("the total so far begins anew, windows go on, and the summary is of the whole run", () => {
    const { wire, profiler } = start();
    const c = wire.connection();
    const exchange = (status: number) => void c.read(get("/")).write(answer(status));
    const sum = ({ edges }: { edges: readonly { requests: number }[] }) =>
      edges.reduce((sum, { requests }) => sum + requests, 0);
    exchange(200);
    exchange(500);
    profiler.endWindow(0, SECOND);
    profiler.reset();
    expect(sum(profiler.soFar(0, SECOND))).toBe(0);
    expect(profiler.soFar(0, SECOND).top.slow).toEqual([]);
    exchange(404);
    expect(sum(profiler.soFar(0, SECOND))).toBe(0); // not before its window ends
    expect(sum(profiler.endWindow(0, SECOND))).toBe(1);
    expect(sum(profiler.soFar(0, SECOND))).toBe(1);
    profiler.reset();
    exchange(200);
    const total = profiler.total(0, SECOND);
    expect(total.edges).toMatchObject([{ requests: 4, statuses: { 200: 2, 404: 1, 500: 1 } }]);
    expect(total.top.slow.map(({ response }) => response.status).sort()).toEqual([200, 200, 404, 500]);
  });

  it("the slowest of the whole run are exact across it", () => {
    const { wire, profiler } = start({ topN: 2 });
    const c = wire.connection();
    for (const [index, ms] of [5, 1, 4, 3, 2].entries()) {
      if (index === 2) profiler.reset();
      c.read(get(`/${ms}`));
      wire.timeNs += ms * 1e6;
      c.write(answer(200));
    }
    expect(profiler.soFar(0, SECOND).top.slow.map(({ request }) => request.uri)).toEqual(["/4", "/3"]);
    expect(profiler.total(0, SECOND).top.slow.map(({ request }) => request.uri)).toEqual(["/5", "/4"]);
  });
});
