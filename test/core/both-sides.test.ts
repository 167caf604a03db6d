import { describe, expect, it } from "vitest";
import { startProfiling } from "./profiling.ts";

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** The two ends of one connection, whose streams began at these positions. */
function startBoth(requestsFrom = 4_294_967_290, responsesFrom = 77) {
  const profiling = startProfiling();
  const common = { isFresh: true };
  const client = profiling.wire.connection({
    ...common,
    pid: 20,
    comm: "caller",
    remote: "10.0.0.1:80",
    bases: [responsesFrom, (requestsFrom - 1) >>> 0],
    inStart: responsesFrom,
    outStart: requestsFrom,
  });
  const server = profiling.wire.connection({
    ...common,
    pid: 10,
    comm: "called",
    bases: [requestsFrom, responsesFrom],
    inStart: requestsFrom,
    outStart: responsesFrom,
  });
  return { ...profiling, client, server };
}

describe("an exchange that both sides saw", () => {
  it("has the client's duration, the server's, and the difference; in both edges and both samples", () => {
    const { wire, client, server, edges, samples } = startBoth();
    client.write(get("/a"));
    server.wire.wait(10);
    server.read(get("/a"));
    wire.wait(100);
    server.write(ok);
    wire.wait(20);
    client.read(ok);
    const [asked] = edges().filter(({ side }) => side === "client");
    const [answered] = edges().filter(({ side }) => side === "server");
    expect(asked!.bothSides).toEqual(answered!.bothSides);
    expect(asked!.bothSides).toMatchObject({
      exchanges: 1,
      clientMs: asked!.durationMs,
      serverMs: answered!.durationMs,
    });
    const both = samples[0]!.bothSides!;
    expect(both.transitMs).toBe(both.clientMs - both.serverMs);
    expect(both.transitMs).toBeGreaterThanOrEqual(30);
    expect(samples.map(({ side, bothSides }) => [side, bothSides])).toEqual([
      ["server", both],
      ["client", both],
    ]);
  });

  it("is joined by where its request began, not by when it was seen: pipelined, and read in one call", () => {
    const { client, server, edges } = startBoth();
    for (const path of ["/a", "/bb", "/ccc"]) client.write(get(path));
    server.read(get("/a") + get("/bb") + get("/ccc"));
    for (let i = 0; i < 3; i++) server.write(ok);
    client.read(ok + ok + ok);
    expect(edges().map(({ bothSides }) => bothSides!.exchanges)).toEqual([3, 3]);
  });

  it("may be seen from the client's side first", () => {
    const { wire, client, server, edges, samples } = startBoth();
    client.write(get("/a"));
    server.read(get("/a"));
    const late = wire.later(() => server.write(ok));
    client.read(ok);
    expect(samples).toEqual([]); // it waits for its other side
    late();
    expect(samples.map(({ side }) => side)).toEqual(["client", "server"]);
    expect(edges().map(({ bothSides }) => bothSides!.exchanges)).toEqual([1, 1]);
  });
});

it("what one side missed is not joined with another exchange, and its sample is shown as it is", () => {
  const { wire, profiler, client, server, edges, samples } = startBoth();
  for (const path of ["/a", "/b"]) {
    client.write(get(path));
    const serve = () => server.read(get(path)).write(ok);
    if (path === "/b") wire.lost(serve);
    else serve();
    client.read(ok);
  }
  profiler.tick(wire.timeNs + 2e9);
  expect(edges().find(({ side }) => side === "client")).toMatchObject({ requests: 2, bothSides: { exchanges: 1 } });
  expect(samples.map(({ side, request, bothSides }) => [side, request.uri, bothSides !== undefined])).toEqual([
    ["server", "/a", true],
    ["client", "/a", true],
    ["client", "/b", false],
  ]);
});

it("a sample waits for its other side a second at most", () => {
  const { wire, profiler, client, server, samples } = startBoth();
  client.write(get("/a"));
  server.read(get("/a"));
  client.read(ok);
  profiler.tick(wire.timeNs + 0.9e9);
  expect(samples).toHaveLength(0);
  profiler.tick(wire.timeNs + 1.1e9);
  expect(samples).toMatchObject([{ side: "client" }]);
  expect(samples[0]!.bothSides).toBeUndefined();
});
