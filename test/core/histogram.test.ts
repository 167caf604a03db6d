import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Histogram } from "../../src/core/histogram.ts";

const PERCENTS = [50, 75, 90, 95, 99] as const;

/** Magnitudes spread evenly, as durations are: a plain integer arbitrary is nearly always huge. */
const value = fc
  .tuple(fc.integer({ min: 0, max: 53 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([bits, fraction]) => Math.floor(2 ** bits * fraction));

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const v of values) histogram.record(v);
  return histogram;
}

function nearestRank(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil((percent * sorted.length) / 100) - 1]!;
}

describe("Histogram", () => {
  it("is within 1 % of every nearest-rank quantile, between min and max, and exact in the rest", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), (values) => {
        const distribution = histogramOf(values).distribution(1, false);
        for (const percent of PERCENTS) {
          const truth = nearestRank(values, percent);
          const quantile = distribution[`p${percent}`];
          expect(Math.abs(quantile - truth)).toBeLessThanOrEqual(truth * 0.01);
          expect(quantile).toBeGreaterThanOrEqual(distribution.min);
          expect(quantile).toBeLessThanOrEqual(distribution.max);
        }
        expect(distribution.min).toBe(Math.min(...values));
        expect(distribution.max).toBe(Math.max(...values));
        expect(distribution.count).toBe(values.length);
        expect(distribution.sum).toBe(values.reduce((a, b) => a + b, 0));
      }),
      { numRuns: 500 },
    );
  });

  it("is exact below 128", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 127 }), { minLength: 1 }), (values) => {
        const distribution = histogramOf(values).distribution(1, false);
        for (const percent of PERCENTS) expect(distribution[`p${percent}`]).toBe(nearestRank(values, percent));
      }),
    );
  });

  it("adds up: merging parts is recording the whole, whatever the split and the order", () => {
    fc.assert(
      fc.property(fc.array(value), fc.array(value), (a, b) => {
        const merged = histogramOf(b);
        merged.add(histogramOf(a));
        const whole = histogramOf([...a, ...b]).distribution(1, true);
        const { sum, mean, ...rest } = merged.distribution(1, true);
        expect(rest).toEqual(Object.fromEntries(Object.entries(whole).filter(([k]) => k !== "sum" && k !== "mean")));
        expect(sum).toBeCloseTo(whole.sum, -8);
        expect(mean).toBeCloseTo(whole.mean, -8);
      }),
    );
  });

  it("has buckets that hold every value at or below their upper bound, ascending, with counts that add up", () => {
    fc.assert(
      fc.property(fc.array(value), (values) => {
        const buckets = histogramOf(values).distribution(1, true).buckets!;
        let below = -1;
        for (const [upperBound, count] of buckets) {
          expect(upperBound).toBeGreaterThan(below);
          expect(values.filter((v) => v > below && v <= upperBound)).toHaveLength(count);
          below = upperBound;
        }
        expect(buckets.reduce((sum, [, count]) => sum + count, 0)).toBe(values.length);
      }),
    );
  });

  it("divides by the unit", () => {
    const distribution = histogramOf([1_000_000, 3_000_000]).distribution(1e6, true);
    expect(distribution).toMatchObject({ count: 2, sum: 4, min: 1, max: 3, mean: 2 });
    expect(distribution.buckets?.map(([, count]) => count)).toEqual([1, 1]);
    expect(distribution.buckets?.[1]?.[0]).toBeCloseTo(3, 1);
  });

  it("is all zero when empty, and again after reset", () => {
    const zero = { count: 0, sum: 0, min: 0, max: 0, mean: 0, p50: 0, p75: 0, p90: 0, p95: 0, p99: 0 };
    const histogram = new Histogram();
    expect(histogram.distribution(1, true)).toEqual({ ...zero, buckets: [] });
    histogram.record(7);
    histogram.record(2 ** 40);
    expect(histogram.count).toBe(2);
    histogram.reset();
    expect(histogram.distribution(1, true)).toEqual({ ...zero, buckets: [] });
    histogram.record(5);
    expect(histogram.distribution(1, false)).toMatchObject({ count: 1, min: 5, max: 5, p99: 5 });
  });

  it("counts past 32 bits", () => {
    const histogram = histogramOf([1000]);
    for (let i = 0; i < 32; i++) histogram.add(histogram);
    histogram.record(1000);
    histogram.record(5);
    const distribution = histogram.distribution(1, true);
    expect(distribution.count).toBe(2 ** 32 + 2);
    expect(distribution.buckets?.map(([, count]) => count)).toEqual([1, 2 ** 32 + 1]);
  });

  it("counts the last of 32 bits and the first past them one by one", () => {
    const histogram = histogramOf([9]);
    const one = histogramOf([9]);
    for (let i = 1; i < 32; i++) {
      histogram.add(histogram);
      histogram.add(one);
    }
    expect(histogram.count).toBe(2 ** 32 - 1);
    histogram.record(9);
    expect(histogram.distribution(1, true).buckets).toEqual([[9, 2 ** 32]]);
  });

  it("is right on both sides of every power of two, to the last", () => {
    for (let bits = 0; bits <= 53; bits++) {
      for (const v of [2 ** bits - 1, 2 ** bits, Math.min(2 ** bits + 1, 2 ** 53)]) {
        const { p50, p99 } = histogramOf([v, 2 ** 53, v]).distribution(1, false);
        expect(Math.abs(p50 - v)).toBeLessThanOrEqual(v * 0.01);
        expect(p99).toBeGreaterThanOrEqual(2 ** 53 * 0.99);
      }
    }
  });

  it("takes what is no such integer for the nearest one instead of throwing", () => {
    const distribution = histogramOf([-1, Number.NaN, 1.5]).distribution(1, true);
    expect(distribution.count).toBe(3);
    expect(distribution.buckets).toEqual([
      [0, 2],
      [1, 1],
    ]);
  });
});
