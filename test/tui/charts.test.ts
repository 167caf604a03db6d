/** Numbers as block characters, and the layout of lines. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Histogram } from "../../src/core/histogram.ts";
import { columnChart, horizontalBar, type Point, ratesOf, sparkline } from "../../src/tui/chart.ts";
import { firstRow, gridWidths } from "../../src/tui/grid.ts";
import { axis, logScale, quantileMarks } from "../../src/tui/log-scale.ts";
import { paint } from "../../src/tui/paint.ts";
import { fitted, titleLine, widthOf } from "../../src/tui/segments.ts";

const SECOND: (endMs: number, value: number) => Point = (endMs, value) => ({ endMs, lengthMs: 1000, value });

describe("rates over the last minute", () => {
  it("are what was counted, by time; what was not measured is null", () => {
    const points = [SECOND(58_000, 10), SECOND(59_000, 20), SECOND(60_000, 30)];
    const rates = ratesOf(points, 60_000, 60_000, 60);
    expect(rates.slice(0, 57).every((rate) => rate === null)).toBe(true);
    expect(rates.slice(57)).toEqual([0.01, 0.02, 0.03]);
  });

  it("the parts add up to the whole, however the windows lie", () => {
    const lengths = fc.array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.nat(1000)), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 100 }), (windows, cells) => {
        let endMs = 0;
        const points = windows.map(([lengthMs, value]) => {
          endMs += lengthMs;
          return { endMs, lengthMs, value };
        });
        const rates = ratesOf(points, endMs, endMs, cells);
        const sum = rates.reduce<number>((sum, rate) => sum + (rate ?? 0) * (endMs / cells), 0);
        const total = windows.reduce((sum, [, value]) => sum + value, 0);
        expect(sum).toBeCloseTo(total, 3);
      }),
    );
  });

  it("as a line: nothing is low, not measured is blank", () => {
    expect(sparkline([null, 0, 1, 4, 8])).toBe(" ▁▂▄█");
    expect(sparkline([0, 0])).toBe("▁▁");
    expect(sparkline([])).toBe("");
  });
});

it("bars and columns have the asked size, and what is not 0 shows", () => {
  expect(horizontalBar(0.5, 4)).toBe("██");
  expect(horizontalBar(2, 4)).toBe("████");
  expect(columnChart([0, 1, 2], 2)).toEqual(["  █", " ██"]);
  expect(columnChart([0, 1, 1000], 1)).toEqual([" ▁█"]);
  expect(columnChart([], 3)).toEqual(["", "", ""]);
});

describe("a distribution on a log scale", () => {
  const values = fc.array(fc.integer({ min: 0, max: 2 ** 40 }), { minLength: 1, maxLength: 200 });

  it("each value is in one column, and the quantiles lie among them in order", () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 200 }), (values, columns) => {
        const histogram = new Histogram();
        for (const value of values) histogram.record(value);
        const distribution = histogram.distribution(1, true);
        const scale = logScale(distribution, columns, 1);
        expect(scale.counts.length).toBe(columns);
        expect(scale.counts.reduce((sum, count) => sum + count, 0)).toBe(values.length);
        const { min, p50, p90, p99, max } = distribution;
        const at = [min, p50, p90, p99, max].map(scale.columnOf);
        expect(at).toEqual(at.toSorted((a, b) => a - b));
        expect(at[0]).toBe(0);
        expect(quantileMarks(distribution, scale, columns).length).toBeLessThanOrEqual(Math.max(columns, 3));
        expect(axis(scale, columns, (value) => value.toFixed(0)).length).toBeLessThanOrEqual(columns);
      }),
    );
  });
});

describe("lines", () => {
  const segment = fc.record({ text: fc.string({ maxLength: 20 }), drop: fc.integer({ min: 1, max: 5 }) });

  it("the less important parts go first, until the rest fits", () => {
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 8 }), fc.integer({ min: 0, max: 80 }), (segments, width) => {
        const shown = fitted(segments, width);
        expect(widthOf(shown)).toBeLessThanOrEqual(Math.max(width, 0));
        const gone = segments.filter((each) => !shown.includes(each));
        const most = Math.max(0, ...shown.map(({ drop }) => drop ?? 0));
        for (const { drop } of gone) expect(drop).toBeGreaterThan(most);
      }),
    );
  });

  it("a title fills its line", () => {
    expect(titleLine([{ text: "EDGES" }], "1 of 7", 40, (text) => text)).toBe(`── EDGES ${"─".repeat(21)} 1 of 7 ──`);
  });

  it("the widths of a grid fill the room: the flexible column gives or takes", () => {
    const columns = [{ least: 3 }, { least: 8, isFlexible: true as const }, { least: 5, most: 6 }];
    expect(gridWidths(columns, [["ab", "a long one", "12345678"]], 40)).toEqual([3, 29, 6]);
    expect(gridWidths(columns, [["ab", "a very long one indeed", "1"]], 20)).toEqual([3, 10, 5]);
  });

  it("the selected row is among those that are shown", () => {
    fc.assert(
      fc.property(fc.nat(100), fc.integer({ min: 1, max: 40 }), fc.nat(99), (count, height, at) => {
        const selected = Math.max(0, Math.min(at, count - 1));
        const from = firstRow(selected, count, height);
        expect(selected).toBeGreaterThanOrEqual(from);
        expect(selected).toBeLessThan(from + height);
        if (count >= height) expect(from + height).toBeLessThanOrEqual(count);
      }),
    );
  });
});

describe("painting", () => {
  it("writes what differs, and nothing when nothing does", () => {
    expect(paint(["a", "b"], ["a", "b"], 80)).toBe("");
    const bytes = paint(["a", "b", "c"], ["a", "B"], 80);
    expect(bytes).toContain("\u001b[2;1HB");
    expect(bytes).toContain("\u001b[3;1H\u001b[0m\u001b[K");
    expect(bytes).not.toContain("\u001b[1;1H");
  });

  it("does not erase the last character of a full line", () => {
    expect(paint([], ["12345"], 5)).not.toContain("\u001b[K");
    expect(paint([], ["\u001b[1m12345\u001b[22m"], 5)).not.toContain("\u001b[K");
    expect(paint([], ["1234"], 5)).toContain("\u001b[K");
  });
});
