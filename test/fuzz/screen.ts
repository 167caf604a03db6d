/** The live screen over a run of hostile bytes, and what a user may press. */
import fc from "fast-check";
import { RunDataCollector } from "../../src/tui/run-data.ts";
import { initialState } from "../../src/tui/state.ts";
import type { View } from "../../src/view.ts";
import { record } from "../recording/session.ts";
import { modelOf, render } from "../tui/model.ts";
import { ACTS_ON_A_TERMINAL } from "./profile.ts";
import { check, type Fuzzed, same } from "./property.ts";
import { play, type Script, script } from "./script.ts";

const key = fc.constantFrom(
  ...["1", "2", "3", "4", "5", "6", "?", "tab", "backtab", "up", "down", "pageup", "pagedown", "home", "end", "enter"],
  ...["escape", "left", "right", "/", "s", "r", "t", "p", "+", "-", "0", "c", "x", "w", "a", "backspace", "ctrl-u"],
);

export const screen: Fuzzed = {
  name: "screen: no frame acts on a terminal or is larger than it",
  testRuns: 40,
  property: () =>
    fc.property(
      script,
      fc.array(key, { maxLength: 12 }),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 4, max: 60 }),
      (script, keys, columns, rows) => {
        const size = { columns, rows };
        const state = initialState("endpoints", size, 1000);
        const frame = render(modelOf([], keys, { size, over: { data: dataOf(script), state } }));
        same(ACTS_ON_A_TERMINAL.exec(frame)?.[0] ?? null, null, "acts on a terminal:");
        check(frame.split("\n").length <= rows, "too many lines:", frame);
      },
    ),
};

function dataOf(script: Script) {
  const collector = new RunDataCollector();
  const view: View = {
    start: (start) => collector.start(start),
    window: (window) => collector.window(window),
    sample: (sample) => collector.sample(sample),
    warning: (warning) => collector.warning(warning),
    summary: (summary) => collector.total(summary),
    end: async () => {},
    close: () => {},
  };
  record(({ wire }) => play(wire, script), "--json --slow 0", true, view);
  return collector.picture();
}
