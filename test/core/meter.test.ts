/** What is counted for metrics backends: exactly, in buckets whose upper bound belongs to them, in a bounded number of series. */
import { describe, expect, it } from "vitest";
import { Edge } from "../../src/core/edge.ts";
import { Exchange } from "../../src/core/exchange.ts";
import { Meter } from "../../src/core/meter.ts";

const BUCKETS = { durationS: [0.005, 1], bodyBytes: [0, 100] };

function exchange(template: string, templateId: number, status: number, durationMs: number, body = 0): Exchange {
  const one = new Exchange();
  one.method = "GET";
  one.target = { path: template, template, templateId, rule: 0 };
  one.status = status;
  one.requestStartNs = 1e15;
  one.responseEndNs = 1e15 + durationMs * 1e6;
  one.requestBytes = 50;
  one.requestHeaderBytes = 50;
  one.responseBytes = 80 + body;
  one.responseHeaderBytes = 80;
  return one;
}

const server = (pid: number) =>
  new Edge("server", { pid, comm: "nginx" }, { pid: null, comm: null, address: "10.0.0.2", port: null }, "http");

describe("a meter", () => {
  it("counts a value at its bound below it", () => {
    const meter = new Meter(BUCKETS);
    for (const [ms, body] of [
      [5, 100],
      [5.001, 101],
      [1000, 0],
      [2000, 0],
    ]) {
      meter.record(server(1), exchange("/", 1, 200, ms!, body));
    }
    const [series] = meter.series.values();
    expect([...series!.durationS.counts]).toEqual([1, 2, 1]);
    expect([...series!.responseBodyBytes.counts]).toEqual([2, 1, 1]);
    expect([...series!.requestBodyBytes.counts]).toEqual([4, 0, 0]);
    expect(series!.durationS).toMatchObject({ count: 4, min: 0.005, max: 2 });
    expect(series!.durationS.sum).toBeCloseTo(3.010001, 9);
  });

  it("adds up the processes of one name, and tells routes and statuses apart", () => {
    const meter = new Meter(BUCKETS);
    const [one, other] = [server(1), server(2)];
    for (const edge of [one, other, one]) meter.record(edge, exchange("/a", 1, 200, 1));
    meter.record(one, exchange("/a", 1, 404, 1));
    meter.record(one, exchange("/b", 2, 200, 1));
    expect(
      [...meter.series.values()].map(({ labels, durationS }) => [labels.route, labels.status, durationS.count]),
    ).toEqual([
      ["/a", 200, 3],
      ["/a", 404, 1],
      ["/b", 200, 1],
    ]);
  });

  it("is bounded: what comes past it counts as (other)", () => {
    const meter = new Meter(BUCKETS, 2);
    const edge = server(1);
    for (let i = 0; i < 10; i++) meter.record(edge, exchange(`/${i}`, i, 200, 1));
    expect(meter.series.size).toBe(3);
    expect(meter.others).toBe(8);
    const counts = [...meter.series.values()].map(({ labels, durationS }) => [
      labels.process,
      labels.route,
      durationS.count,
    ]);
    expect(counts).toEqual([
      ["nginx", "/0", 1],
      ["nginx", "/1", 1],
      ["(other)", "(other)", 8],
    ]);
  });
});
