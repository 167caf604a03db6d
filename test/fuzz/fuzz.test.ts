/** A short run of what `npm run fuzz` runs for minutes. */
import fc from "fast-check";
import { it } from "vitest";
import { all } from "./all.ts";

it.each(all.map(({ name, ...fuzzed }) => [name, fuzzed] as const))(
  "%s",
  async (_, { testRuns, property }) => {
    await fc.assert(property(), { numRuns: testRuns });
  },
  120_000,
);
