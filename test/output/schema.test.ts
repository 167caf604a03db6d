/** Every line obeys schema/l7prof.schema.json, and the schema is strict enough to refuse lines that are wrong. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { fixtureNames, readFixture, render } from "./fixture.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const schema = JSON.parse(readFileSync(new URL("../../schema/l7prof.schema.json", import.meta.url), "utf8"));
const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);

function linesOf(name: string): Json[] {
  const text = render(readFixture(name), { format: "ndjson" });
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe.each(fixtureNames)("%s", (name) => {
  test("every line obeys the schema", () => {
    for (const line of linesOf(name)) {
      validate(line);
      expect(validate.errors).toBeNull();
    }
  });

  test("no line obeys it without one of its fields, with one too many, or with one of another type", () => {
    for (const line of linesOf(name)) {
      for (const { what, wrong } of mutations(line)) expect(validate(wrong), what).toBe(false);
    }
  });
});

test.each([
  ["a time without microseconds", '"time":"2025-11-25T10:00:01Z"'],
  ["a time that is not UTC", '"time":"2025-11-25T10:00:01.000000+01:00"'],
  ["a month 13", '"time":"2025-13-25T10:00:01.000000Z"'],
  ["a code that is no word", '"time":"2025-11-25T10:00:01.000000Z","code":"Lost Events"'],
])("%s is refused", (_, fields) => {
  const line = { code: "lost-events", message: "", ...JSON.parse(`{"type":"warning",${fields}}`) };
  expect(validate(line)).toBe(false);
});

interface Mutation {
  readonly what: string;
  readonly wrong: Json;
}

/** Fields that a line may lack, and objects whose keys are data. */
const OPTIONAL = new Set(["groups", "buckets", "debug", "state", "caller"]);
const MAPS = new Set(["statuses", "statusCpm", "tags", "summary"]);

/** The line with one thing wrong, for each thing in it. */
function* mutations(line: Json, path = "", rebuild = (part: Json): Json => part): Generator<Mutation> {
  if (line === null || typeof line !== "object") {
    yield { what: `${path} is an object`, wrong: rebuild({}) };
    if (typeof line === "number") yield { what: `${path} is negative`, wrong: rebuild(-1) };
    return;
  }
  if (Array.isArray(line)) {
    for (const [index, item] of line.entries()) {
      yield* mutations(item, `${path}[${index}]`, (part) => rebuild(line.with(index, part)));
    }
    return;
  }
  yield { what: `${path} has a field too many`, wrong: rebuild({ ...line, extra: {} }) };
  for (const [key, value] of Object.entries(line)) {
    const { [key]: _, ...without } = line;
    if (isRequired(path, key)) yield { what: `${path} lacks ${key}`, wrong: rebuild(without) };
    yield* mutations(value, `${path}.${key}`, (part) => rebuild({ ...line, [key]: part }));
  }
}

function isRequired(path: string, key: string): boolean {
  // A process without its PID is a target too: the name alone.
  if (path.startsWith(".targets") && key === "pid") return false;
  return !OPTIONAL.has(key) && !MAPS.has(path.slice(path.lastIndexOf(".") + 1));
}
