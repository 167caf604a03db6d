import { expect, test } from "vitest";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatExact,
  formatPercent,
  formatRate,
} from "../../src/output/units.ts";

test.each([
  [0, "0µs", "0µs"],
  [0.045, "45µs", "45µs"],
  [0.9994, "999µs", "999µs"],
  [0.9997, "1.0ms", "1.00ms"],
  [1.2345, "1.2ms", "1.23ms"],
  [9.96, "10ms", "9.96ms"],
  [99.96, "100ms", "100ms"],
  [999.4, "999ms", "999ms"],
  [999.6, "1.0s", "1.00s"],
  [59_960, "1.0min", "1.00min"],
  [3_600_000, "1.0h", "1.00h"],
])("%f ms is %s, or %s with three digits", (ms, two, three) => {
  expect([formatDuration(ms, 2), formatDuration(ms, 3)]).toEqual([two, three]);
});

test.each([
  [0, "0B"],
  [310.4, "310B"],
  [1023.4, "1023B"],
  [1023.6, "1.0KiB"],
  [1_048_064, "1.0MiB"],
  [5 * 1024 ** 3, "5.0GiB"],
  [Number.MAX_SAFE_INTEGER, "8192TiB"],
])("%f bytes are %s", (bytes, expected) => {
  expect(formatBytes(bytes, 2)).toBe(expected);
});

test.each([
  [0, "0"],
  [0.00001, "<0.1"],
  [0.01, "1.0"],
  [0.5, "50.0"],
  [0.9999999, "99.9"],
  [1, "100"],
])("a share of %f is %s percent", (share, expected) => {
  expect(formatPercent(share)).toBe(expected);
});

test("coverage below 1 never reads 100 %", () => {
  expect(formatPercent(1 - Number.EPSILON, 2)).toBe("99.99");
});

test("counts have thousands separators and in a table a greatest width", () => {
  expect(formatCount(99_999_999)).toBe("99,999,999");
  expect(formatCount(123_456_789)).toBe("123.5M");
  expect(formatExact(123_456_789)).toBe("123,456,789");
});

test("a rate below ten has a decimal", () => {
  expect([0, 0.5, 9.94, 9.96, 1234.5].map(formatRate)).toEqual(["0", "0.5", "9.9", "10", "1,235"]);
});
