import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { onEndSignals } from "../src/end-signals.ts";

let close = () => {};
afterEach(() => close());

const listeners = () => process.listenerCount("SIGTERM");
const send = (signal: NodeJS.Signals) => process.emit(signal, signal);
const OVER_MS = 250;

test("what comes at once is the same signal, to the program and to its group; what comes later is another", async () => {
  const [first, later] = [vi.fn(), vi.fn()];
  close = onEndSignals(first, later);
  send("SIGTERM");
  send("SIGTERM");
  await sleep(5);
  send("SIGTERM");
  expect([first.mock.calls, later.mock.calls]).toEqual([[["SIGTERM"]], []]);
  await sleep(OVER_MS);
  send("SIGINT");
  expect([first.mock.calls, later.mock.calls]).toEqual([[["SIGTERM"]], [["SIGINT"]]]);
});

test("a later one ends the process by default", async () => {
  const before = listeners();
  close = onEndSignals(() => {});
  send("SIGHUP");
  expect(listeners()).toBe(before + 1);
  await sleep(OVER_MS);
  expect(listeners()).toBe(before);
});
