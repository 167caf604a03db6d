/** What holds for every run, whatever came over the wire and whatever the user presses. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { parts, warning } from "../output/arbitrary.ts";
import { modelOf, render } from "./model.ts";

const ACTS_ON_A_TERMINAL = /[^\P{C}\n]|[\p{Zl}\p{Zp}]/u;

const key = fc.constantFrom(
  ...["1", "2", "3", "4", "5", "6", "?", "tab", "backtab", "up", "down", "pageup", "pagedown", "home", "end", "enter"],
  ...["escape", "left", "right", "/", "s", "r", "t", "p", "+", "-", "0", "c", "x", "w", "a", "backspace", "ctrl-u"],
);

it("nothing on the screen steers, hides or reorders anything on a terminal", () => {
  fc.assert(
    fc.property(parts, warning, fc.array(key, { maxLength: 12 }), (parts, warning, keys) => {
      const text = render(modelOf([parts, { warning }], keys, { size: { columns: 100, rows: 60 } }));
      expect(text).not.toMatch(ACTS_ON_A_TERMINAL);
    }),
    { numRuns: 30 },
  );
});

it("every view, every detail", () => {
  const ways = [
    ["1"],
    ["2"],
    ["3"],
    ["4"],
    ["5"],
    ["5", "enter"],
    ["5", "enter", "c"],
    ["5", "enter", "x"],
    ["6"],
    ["?"],
  ];
  fc.assert(
    fc.property(parts, warning, fc.integer({ min: 1, max: 200 }), (parts, warning, columns) => {
      for (const keys of ways) {
        const size = { columns, rows: 40 };
        const text = render(modelOf([parts, { warning }], keys, { size }));
        expect(text).not.toMatch(ACTS_ON_A_TERMINAL);
        expect(text.split("\n").length).toBeLessThanOrEqual(40);
      }
    }),
    { numRuns: 8 },
  );
});
