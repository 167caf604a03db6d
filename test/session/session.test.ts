/** A run as it goes: windows, limits, warnings, and what goes where. */
import { describe, expect, it } from "vitest";
import { answer, get } from "../core/messages.ts";
import { type Live, lines, record, START, summaryOf } from "../recording/session.ts";

const MS = 1e6;
const SECOND = 1000 * MS;

function exchanges({ wire }: Live, count: number): void {
  const c = wire.connection();
  for (let i = 0; i < count; i++) c.read(get(`/${i}`)).write(answer(200));
}

function ofType(output: string, type: string) {
  return lines(output).filter((line) => line.type === type);
}

describe("windows", () => {
  it("end when their time is over, and are as long as they took", () => {
    const { output } = record((live) => {
      live.session.onTick(START.startNs + 999 * MS);
      exchanges(live, 3);
      live.session.onTick(START.startNs + 1000 * MS);
      live.session.onTick(START.startNs + 1999 * MS);
      live.session.onTick(START.startNs + 2500 * MS);
      live.wire.timeNs = START.startNs + 2600 * MS;
    }, "--json");
    const windows = ofType(output, "metrics").map(({ windowMs, time, edges }) => [
      windowMs,
      time,
      (edges as []).length,
    ]);
    expect(windows).toEqual([
      [1000, "2023-11-14T22:13:21.000000Z", 1],
      [1500, "2023-11-14T22:13:22.500000Z", 0],
    ]);
    expect(summaryOf(output)).toMatchObject({ windowMs: 2600, ended: "signal", edges: [{ requests: 3 }] });
  });

  it("--interval 0: the summary alone", () => {
    const { output } = record((live) => live.session.onTick(START.startNs + 10 * SECOND), "--json --interval 0");
    expect(lines(output).map(({ type }) => type)).toEqual(["start", "summary"]);
  });

  it("their counts add up to the summary's", () => {
    const { output } = record((live) => {
      for (let second = 1; second <= 5; second++) {
        live.wire.timeNs = START.startNs + (second - 1) * SECOND;
        exchanges(live, second);
        live.session.onTick(START.startNs + second * SECOND);
      }
    }, "--json");
    const counts = ofType(output, "metrics").map(({ edges }) =>
      (edges as { requests: number }[]).reduce((sum, edge) => sum + edge.requests, 0),
    );
    expect(counts).toEqual([1, 2, 3, 4, 5]);
    const total = (summaryOf(output).edges as { requests: number }[]).reduce((sum, edge) => sum + edge.requests, 0);
    expect(total).toBe(15);
  });
});

describe("limits", () => {
  it("--count: so many exchanges and no more, whatever comes", () => {
    const { output } = record((live) => {
      exchanges(live, 7);
      expect(live.stops).toEqual(["count"]);
    }, "--json --interval 0 --count 3");
    expect(summaryOf(output)).toMatchObject({ edges: [{ requests: 3 }], capture: { exchanges: 3, events: 7 } });
  });

  it("--count is reached within a record: that record still counts whole", () => {
    const { output } = record((live) => {
      const c = live.wire.connection().read(get("/a") + get("/b") + get("/c"));
      c.write(answer(200) + answer(200) + answer(200))
        .read(get("/d"))
        .write(answer(200));
    }, "--json --interval 0 --count 2");
    expect(summaryOf(output).edges).toMatchObject([{ requests: 3 }]);
  });

  it("--duration", () => {
    record(({ session, stops }) => {
      session.onTick(START.startNs + 1999 * MS);
      expect(stops).toEqual([]);
      session.onTick(START.startNs + 2000 * MS);
      expect(stops).toEqual(["duration"]);
    }, "--json --interval 0 --duration 2s");
  });
});

describe("warnings", () => {
  it("of lost events: at the end of the window, how many more there are since the last", () => {
    const { output } = record(({ session }) => {
      session.onLost(5, 100);
      session.onTick(START.startNs + SECOND);
      session.onLost(5, 100);
      session.onTick(START.startNs + 2 * SECOND);
      session.onLost(8, 200);
    }, "--json");
    const warnings = ofType(output, "warning").filter(({ code }) => code === "lost-events");
    expect(warnings.map(({ message }) => Number.parseInt(message as string, 10))).toEqual([5, 3]);
    expect(summaryOf(output).capture).toMatchObject({ lostEvents: 8 });
  });

  it("of TLS", () => {
    const { output } = record(({ wire }) => void wire.connection({ local: "10.0.0.1:443" }).opaque().cipher(9).close());
    expect(ofType(output, "warning")).toMatchObject([{ code: "tls-unreadable", time: "2023-11-14T22:13:20.000000Z" }]);
  });
});

it("samples are shown when they are taken, with the exchange's end as their time", () => {
  const { output } = record(({ wire }) => void wire.connection().read(get("/")).write(answer(503)));
  expect(ofType(output, "sample")).toMatchObject([{ time: "2023-11-14T22:13:20.001000Z", reasons: ["5xx"] }]);
});
