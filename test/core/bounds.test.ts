/** Nothing grows without bound, whatever the other side does: what is let go is counted. */
import { describe, expect, it } from "vitest";
import { ascii } from "../../src/core/http1/bytes.ts";
import { TargetTable } from "../../src/core/target.ts";
import { answer, get } from "./messages.ts";
import { DEFAULT_RULE, imbalance, inFlight, type Profiling, startProfiling } from "./profiling.ts";

const MAX_CONNECTIONS = 65_536;
const MAX_WAITING = 65_536;

const start = () => startProfiling({ rules: [DEFAULT_RULE] });
const totalOf = (profiling: Profiling) => profiling.edges().reduce((sum, { requests }) => sum + requests, 0);

describe("connections", () => {
  it("whose end is never told are let go, the first opened first, and their requests counted", () => {
    const profiling = start();
    for (let i = 0; i < MAX_CONNECTIONS + 1009; i++) profiling.wire.connection({ id: i + 1 }).read(get("/"));
    expect(profiling.ignored).toEqual(Array.from({ length: 1009 }, (_, i) => i + 1));
    expect(profiling.capture()).toMatchObject({ requests: MAX_CONNECTIONS + 1009, unansweredRequests: 1009 });
    expect([imbalance(profiling), inFlight(profiling)]).toEqual([0, MAX_CONNECTIONS]);
  });
});

describe("requests that wait", () => {
  it("are let go when there are too many of them in all, connection by connection", () => {
    const profiling = start();
    const burst = get("/").repeat(5000);
    const connections = Array.from({ length: 20 }, () => profiling.wire.connection().read(burst));
    expect(profiling.capture().requests).toBe(100_000);
    expect(inFlight(profiling)).toBeLessThanOrEqual(MAX_WAITING);
    expect(imbalance(profiling)).toBe(0);
    // A connection that was not let go still gets its answers.
    connections[0]!.write(answer(200).repeat(5000));
    expect(profiling.capture().exchanges).toBe(5000);
    for (const connection of connections) connection.close();
    expect([imbalance(profiling), inFlight(profiling)]).toEqual([0, 0]);
  });
});

describe("edges", () => {
  it.each([
    ["clients", (i: number) => ({ remote: `10.${i >> 8}.${i & 255}.1:5000` })],
    ["processes", (i: number) => ({ pid: 1000 + i })],
    ["processes and clients", (i: number) => ({ pid: 1000 + i, remote: `10.${i >> 8}.${i & 255}.1:5000` })],
  ])("of 10,000 %s are at most 2,002, and nothing is left out of them", (_, options) => {
    const profiling = start();
    for (let i = 0; i < 10_000; i++) profiling.wire.connection(options(i)).read(get("/")).write(answer(200)).close();
    expect(profiling.edges().length).toBeLessThanOrEqual(2002);
    expect(totalOf(profiling)).toBe(10_000);
  });
});

describe("URIs", () => {
  it("10,000 different ones: as many endpoints as --max-endpoints, the rest is (other)", () => {
    const profiling = startProfiling({ rules: [DEFAULT_RULE], maxEndpoints: 50 });
    const connection = profiling.wire.connection();
    for (let i = 0; i < 10_000; i++) connection.read(get(`/${i.toString(36)}-x/y`)).write(answer(200));
    const [{ endpoints } = { endpoints: [] }] = profiling.edges();
    expect(endpoints).toHaveLength(51);
    expect(endpoints.find(({ uri }) => uri === "(other)")?.requests).toBe(10_000 - 50);
  });

  it("10,000 methods likewise", () => {
    const profiling = startProfiling({ rules: [DEFAULT_RULE], maxEndpoints: 50 });
    const connection = profiling.wire.connection();
    for (let i = 0; i < 10_000; i++) connection.read(get("/").replace("GET", `M${i}`)).write(answer(200));
    expect(profiling.edges()[0]!.endpoints).toHaveLength(51);
    expect(totalOf(profiling)).toBe(10_000);
  });

  it("of 200 KiB are cut, and not remembered", () => {
    const table = new TargetTable({ route: (path) => path, rule: () => 0 });
    const lookup = (text: string) => table.lookup(ascii(text), 0, text.length);
    expect(lookup("/short?a")).toBe(lookup("/short?b"));
    const long = `/${"x".repeat(200 * 1024)}`;
    expect(lookup(long)).not.toBe(lookup(long));
    expect(lookup(long).path).toBe(long.slice(0, 16 * 1024));
  });
});
