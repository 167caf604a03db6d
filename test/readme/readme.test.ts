/**
 * What the README says to type works. A block is run by the shell as it stands, in an empty directory, with nothing
 * on its path but jq; `l7prof` is a function that tells which words it was given, or prints a run.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "../../src/cli/parse.ts";
import { pipe } from "../cli/terminal.ts";
import { codeBlocks, inlineCommands } from "./code-blocks.ts";

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const readme = readFileSync(fromRoot("README.md"), "utf8");
const run = fromRoot("test/fixtures/output/run.ndjson");

const directory = mkdtempSync(join(tmpdir(), "l7prof-readme-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const blocks = codeBlocks(readme).filter(({ info }) => info.startsWith("sh"));
const recipes = blocks.filter(({ info }) => info === "sh jq");
const at = ({ line }: { line: number }) => `line ${line}`;

test("the README opens with what to type first", () => {
  const [first] = codeBlocks(readme);
  for (const command of ["npm run demo", "npm test", "sudo l7prof --pid"]) expect(first?.code).toContain(command);
  expect(first!.line).toBeLessThan(8);
});

test("no line is wider than a terminal", () => {
  expect(readme.split("\n").filter((line) => [...line].length > 80)).toEqual([]);
});

test("the scripts that it names exist", () => {
  const { scripts } = JSON.parse(readFileSync(fromRoot("package.json"), "utf8"));
  const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name!);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

test("the files that it links to exist", () => {
  const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, path]) => path!);
  expect(links.length).toBeGreaterThan(0);
  for (const link of links) expect(existsSync(fromRoot(link)), link).toBe(true);
});

describe("l7prof takes the command lines", () => {
  const shown = blocks.filter(({ code }) => /\bl7prof /.test(code)).map((block) => [at(block), block.code] as const);
  const inline = inlineCommands(readme).map((command) => [command, command] as const);

  test("there are some", () => expect([shown.length, inline.length].map((count) => count > 2)).toEqual([true, true]));

  test.each([...shown, ...inline])("%s", (_name, code) => {
    const commandLines = wordsGivenToL7prof(code);
    expect(commandLines.length).toBeGreaterThan(0);
    for (const words of commandLines) expect(parse(words, pipe).kind).toMatch(/^(run|doctor|print)$/);
  });
});

describe("the jq recipes", () => {
  test("there are several", () => expect(recipes.length).toBeGreaterThanOrEqual(5));

  test("every jq command is one", () => {
    expect(blocks.filter(({ info, code }) => /\bjq /.test(code) && info !== "sh jq").map(at)).toEqual([]);
  });

  test.each(recipes.map((block) => [at(block), block.code] as const))("%s", (_name, code) => {
    const lines = outputOf(code).trim().split("\n");
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(/[^\s",]/);
    expect(lines.join()).not.toMatch(/\bnull\b|NaN/);
    for (const line of lines) if (line.startsWith("{")) expect(() => JSON.parse(line)).not.toThrow();
  });
});

/** The words of each call of l7prof in a shell script, as the shell gives them. */
function wordsGivenToL7prof(code: string): string[][] {
  const told = join(directory, "words");
  writeFileSync(told, "");
  shell(`l7prof() { printf '%s\\0' "$@" end-of-call >>words; }; jq() { :; }
    ${code}`);
  const words = readFileSync(told, "utf8").split("\0").slice(0, -1);
  const ends = words.flatMap((word, index) => (word === "end-of-call" ? [index] : []));
  return ends.map((end, i) => words.slice(i === 0 ? 0 : ends[i - 1]! + 1, end));
}

/** What a recipe prints of a run. */
function outputOf(code: string): string {
  copyFileSync(run, join(directory, "run.ndjson"));
  return shell(`set -e -o pipefail
    l7prof() { while IFS= read -r line; do printf '%s\\n' "$line"; done <run.ndjson; }
    ${code}`);
}

/** Other commands than these are not found. */
function shell(script: string): string {
  const prelude = `sudo() { "$@"; }; npm() { :; }; chown() { :; }; jq() { "$JQ" "$@"; }\n`;
  return execFileSync("/bin/bash", ["--noprofile", "--norc", "-c", prelude + script], {
    cwd: directory,
    encoding: "utf8",
    env: { PATH: "", USER: "me", JQ: jqPath() },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function jqPath(): string {
  return execFileSync("/bin/sh", ["-c", "command -v jq"], { encoding: "utf8" }).trim();
}
