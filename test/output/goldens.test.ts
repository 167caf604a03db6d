/** Each fixture against what it must look like. `UPDATE_GOLDENS=1 npx vitest run test/output` writes it anew. */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { ViewConfig } from "../../src/config.ts";
import { fixtureNames, fixturesUrl, readFixture, render } from "./fixture.ts";

const FORMATS: Readonly<Record<string, Partial<ViewConfig>>> = {
  "80.txt": { columns: 80 },
  "120.txt": { columns: 120 },
  "160.txt": { columns: 160 },
  ndjson: { format: "ndjson" },
};

describe.each(fixtureNames)("%s", (name) => {
  test.each(Object.entries(FORMATS))("%s", (extension, over) => {
    const actual = render(readFixture(name), over);
    const golden = new URL(`${name}.${extension}`, fixturesUrl);
    if (process.env.UPDATE_GOLDENS) writeFileSync(golden, actual);
    expect(actual).toBe(readFileSync(golden, "utf8"));
  });
});
