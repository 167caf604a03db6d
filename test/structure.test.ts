/** What docs/ARCHITECTURE.md says of the folders: dependencies point one way, and never in a circle. */
import { readdirSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path";
import { expect, it } from "vitest";

/** Folder → the folders that it knows. Beside them each may know the files right in src/ that hold shared types. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  core: [],
  cli: ["core"],
  output: ["core"],
  kernel: ["core"],
  recording: ["core"],
  export: ["core", "output"],
  tui: ["core", "output"],
};
/** They wire the others together, and nobody imports them. */
const ABOVE_ALL = ["main.ts", "run.ts", "session.ts"];

const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((path) => /\.tsx?$/.test(path));
const imports = new Map(files.map((path) => [path, importsOf(path)]));

function importsOf(path: string): string[] {
  const text = readFileSync(join("src", path), "utf8");
  const found = text.matchAll(/(?:\bfrom |\bimport\()"(\.[^"]+)"/g);
  return [...found].map(([, target]) => normalize(join(path, "..", target!)));
}

const folderOf = (path: string) => (path.includes("/") ? path.split("/")[0]! : null);

it("is read from the imports, each of which there is", () => {
  expect([...imports.values()].flat().filter((path) => !imports.has(path))).toEqual([]);
  expect([...imports.values()].flat().length).toBeGreaterThan(700);
});

it("no folder imports another that it is not to know", () => {
  const wrong = [...imports].flatMap(([path, targets]) => {
    const from = folderOf(path);
    if (from === null) return [];
    const isAllowed = (to: string | null) => to === null || to === from || KNOWN[from]!.includes(to);
    return targets.filter((target) => !isAllowed(folderOf(target))).map((target) => `${path} → ${target}`);
  });
  expect(wrong).toEqual([]);
});

it("what wires the folders together is imported by none of them", () => {
  const wrong = [...imports].filter(
    ([path, targets]) => !ABOVE_ALL.includes(path) && targets.some((target) => ABOVE_ALL.includes(target)),
  );
  expect(wrong).toEqual([]);
});

it("no file imports itself over others, types included", () => {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, way: readonly string[]) => {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(" → "));
    if (done.has(path) || way.includes(path)) return;
    for (const target of imports.get(path)!) visit(target, [...way, path]);
    done.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
  expect(circles).toEqual([]);
});
