/** What holds for every profile, whatever came over the wire. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parts, warning } from "./arbitrary.ts";
import { render } from "./fixture.ts";

const ACTS_ON_A_TERMINAL = /[^\P{C}\n]|[\p{Zl}\p{Zp}]/u;
const OWN_SYMBOLS = /[─…→×↪●–≥]/gu;

/** A profile is a hundred strings, so this many see every kind of character in every place. */
const RUNS = { numRuns: 50 };

const groupBy = fc.constantFrom("endpoint", "edge", "host", "status");
const columns = fc.integer({ min: 80, max: 200 });

test("no character of the text output steers, hides or reorders anything on a terminal", () => {
  fc.assert(
    fc.property(parts, warning, groupBy, columns, (parts, warning, groupBy, columns) => {
      const text = render({ parts: [parts, { warning }], groupBy }, { columns });
      expect(text).not.toMatch(ACTS_ON_A_TERMINAL);
    }),
    RUNS,
  );
});

test("no line of the text output is wider than the terminal", () => {
  fc.assert(
    fc.property(parts, groupBy, columns, (parts, groupBy, columns) => {
      for (const line of render({ parts: [parts], groupBy }, { columns }).split("\n")) {
        expect(widest(line), line).toBeLessThanOrEqual(columns);
      }
    }),
    RUNS,
  );
});

test("colour adds escape sequences and nothing else", () => {
  fc.assert(
    fc.property(parts, groupBy, (parts, groupBy) => {
      const coloured = render({ parts: [parts], groupBy }, { color: true });
      expect(coloured.replace(/\u001b\[\d+m/g, "")).toBe(render({ parts: [parts], groupBy }));
    }),
    RUNS,
  );
});

test("every NDJSON line is well-formed, obeys the schema and says what the profile says", () => {
  const schema = JSON.parse(readFileSync(new URL("../../schema/l7prof.schema.json", import.meta.url), "utf8"));
  const validate = new Ajv2020({ allowUnionTypes: true }).compile(schema);
  fc.assert(
    fc.property(parts, warning, (parts, warning) => {
      const text = render({ parts: [parts, { warning }] }, { format: "ndjson" });
      expect(Buffer.from(text).toString()).toBe(text);
      expect(text).not.toMatch(ACTS_ON_A_TERMINAL);
      const lines = text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(lines.map(({ type }) => type)).toEqual(["start", "metrics", "sample", "summary", "warning"]);
      for (const line of lines) expect(validate(line), JSON.stringify(validate.errors)).toBe(true);
      expect(lines[2].request.uri).toBe(parts.sample.request.uri);
      expect(lines[2].response.headers).toEqual(parts.sample.response.headers);
    }),
    RUNS,
  );
});

/** An upper bound: what is not Latin, Greek or Cyrillic takes two columns at most. */
function widest(line: string): number {
  const ascii = line.replace(OWN_SYMBOLS, "x");
  return Array.from(ascii).reduce((width, character) => width + (character.codePointAt(0)! < 0x1100 ? 1 : 2), 0);
}
