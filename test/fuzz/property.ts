/** One thing that must hold, on inputs that fast-check draws and shrinks. */
import type fc from "fast-check";

export interface Fuzzed {
  readonly name: string;
  /** Of a run of the test suite; a fuzzer has no end. */
  readonly testRuns: number;
  property(): fc.IRawProperty<unknown>;
}

export function check(isRight: boolean, what: string, ...seen: unknown[]): void {
  if (!isRight) throw new Error([what, ...seen.map((value) => JSON.stringify(value))].join(" "));
}

export function same(one: unknown, other: unknown, what: string): void {
  check(JSON.stringify(one) === JSON.stringify(other), what, one, other);
}
