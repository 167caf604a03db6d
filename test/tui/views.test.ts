/** Each view as it must look. `UPDATE_GOLDENS=1 npx vitest run test/tui` writes them anew. */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Size } from "../../src/tui/state.ts";
import { fixtureModel, modelOf, render } from "./model.ts";

const VIEWS: Readonly<Record<string, readonly string[]>> = {
  edges: ["1"],
  endpoints: ["2"],
  "endpoints-of-an-edge": ["1", "down", "enter"],
  "endpoints-filtered": ["2", "/", "G", "E", "T", " ", "4", "x", "x", "enter"],
  "endpoints-typing": ["2", "/", "u", "s"],
  "endpoints-slowest": ["2", "s", "s", "s", "s", "s"],
  statuses: ["3"],
  distributions: ["4"],
  samples: ["5"],
  "samples-slowest": ["5", "s", "left"],
  sample: ["5", "enter"],
  "sample-as-bytes": ["5", "enter", "x", "G"],
  curl: ["5", "enter", "c"],
  warnings: ["6"],
  help: ["?"],
};

const SIZES: Readonly<Record<string, Size>> = {
  "80x24": { columns: 80, rows: 24 },
  "160x40": { columns: 160, rows: 40 },
};

describe.each(Object.entries(SIZES))("%s", (sizeName, size) => {
  it.each(Object.entries(VIEWS))("%s", (name, keys) => {
    const golden = new URL(`../fixtures/tui/${name}.${sizeName}.txt`, import.meta.url);
    const actual = `${render(fixtureModel("run", keys, { size }))}\n`;
    if (process.env.UPDATE_GOLDENS) writeFileSync(golden, actual);
    expect(actual).toBe(readFileSync(golden, "utf8"));
  });

  it.each(Object.entries(VIEWS))("%s fills the terminal and no more", (_, keys) => {
    const lines = render(fixtureModel("run", keys, { size })).split("\n");
    expect(lines.length).toBeLessThanOrEqual(size.rows);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(size.columns);
  });

  it.each(Object.entries(VIEWS))("%s before anything was told", (_, keys) => {
    expect(() => render(modelOf([], keys, { size }))).not.toThrow();
  });
});

it("losses stand in the first line, whatever the width", () => {
  for (const columns of [80, 100, 120, 200]) {
    const [header] = render(fixtureModel("losses", [], { size: { columns, rows: 24 } })).split("\n");
    expect(header).toMatch(/! coverage \d+\.\d+ %/);
    expect(header).toMatch(/! [\d,]+ events lost/);
  }
});

it("what can't be read stands in the first line, and view 6 says what", () => {
  const warning = {
    timeUs: 1764064801000000,
    code: "tls-unreadable",
    message: "nginx[7] port 443 is encrypted with TLS",
  };
  const model = fixtureModel("run", ["6"], {});
  const parts = [{ warning }, { warning }];
  const text = render({ ...model, data: { ...model.data, warnings: modelOf(parts, []).data.warnings } });
  expect(text.split("\n")[0]).toContain("! 1 not read");
  expect(text).toContain("nginx[7] port 443 is encrypted with TLS (2 times)");
});

it("pause, end and progress are said", () => {
  expect(render(fixtureModel("run", ["p"]))).toContain("PAUSED");
  const model = fixtureModel("run", []);
  expect(render({ ...model, data: { ...model.data, ended: "end-of-file" as const } })).toContain("ENDED");
  const reading = { doneBytes: 600 * 1024 ** 2, totalBytes: 1024 ** 3, leftMs: 12_000 };
  expect(render({ ...model, reading })).toMatch(/58 % {2}600MiB of 1\.00GiB {2}12s left {2}█+[▉-▏]?░+/);
});

it("colour adds escape sequences and nothing else", () => {
  for (const keys of Object.values(VIEWS)) {
    const coloured = render(fixtureModel("run", keys, { color: true }));
    const plain = render(fixtureModel("run", keys));
    const bare = coloured.replace(/\u001b\[\d+m/g, "");
    expect(bare.split("\n").map((line) => line.trimEnd())).toEqual(plain.split("\n").map((line) => line.trimEnd()));
  }
});

it("16 colours: nothing that a terminal of 16 does not know", () => {
  for (const keys of Object.values(VIEWS)) {
    expect(render(fixtureModel("run", keys, { color: true }))).not.toMatch(/\u001b\[[34]8;/);
  }
});

it("a terminal that is far too small gets what fits", () => {
  for (const size of [
    { columns: 20, rows: 5 },
    { columns: 40, rows: 10 },
    { columns: 1, rows: 1 },
  ]) {
    for (const keys of Object.values(VIEWS)) {
      const lines = render(fixtureModel("run", keys, { size })).split("\n");
      expect(lines.length).toBeLessThanOrEqual(size.rows);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(size.columns);
    }
  }
});
