import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createProgram } from "../../src/cli/program.ts";
import { act, pipe } from "./terminal.ts";

const manPath = new URL("../../docs/l7prof.1", import.meta.url);
/** As a reader sees it: the macros gone, `Fl -pid` and `\-` as they print. */
const man = readFileSync(manPath, "utf8")
  .replaceAll("\\-", "-")
  .replace(/\bFl (-?\S+)/g, (_, flag) => `-${flag}`);

function help(line: string): string {
  const action = act(line, { ...pipe, columns: 80 });
  if (action.kind !== "print") throw new Error(`${line} prints nothing`);
  return action.text;
}

/** The flags that the contract with users names: scripts depend on them. */
const CONTRACT = `
  -p --pid --no-follow --cgroup --comm --container --pod --unit --all --port
  --uri-regex --slow --4xx --5xx --keep --max-request-size --max-response-size
  --top --max-samples-per-second --only-traced --show-secrets
  --plain --interval --json --topology --dot --mermaid --tcp -o --resolve --group-by --raw-uris --uri-template --max-endpoints --histograms
  --duration --count --debug`;

const contract = CONTRACT.trim().split(/\s+/);
const options = createProgram("0", { run() {}, replay() {}, doctor() {} }).options.flatMap((option) => [
  option.short ?? option.long!,
  option.long!,
]);

describe.each([
  ["--help", help("--help")],
  ["the man page", man],
])("%s", (_name, text) => {
  it.each([...new Set([...contract, ...options])])("has %s", (flag) => {
    expect(text).toMatch(new RegExp(`(^|[^-\\w])${flag}(?![-\\w])`, "m"));
  });

  it.each(["replay", "doctor", "-- CMD", "250ms", "16MiB"])("has %s", (words) => {
    expect(text.replace("-- Ar command", "-- CMD").replace("-- command", "-- CMD")).toContain(words);
  });
});

describe("--help", () => {
  it.each(["--help", "help replay", "help doctor"])("%s is at most 80 columns wide", (line) => {
    for (const row of help(line).split("\n")) expect(row.length, row).toBeLessThanOrEqual(80);
  });

  it("has examples that parse", () => {
    const examples = help("--help").match(/^ {4}l7prof .*/gm) ?? [];
    expect(examples.length).toBeGreaterThan(5);
    for (const example of examples) {
      const line = example.replace(/^ +l7prof /, "").replace(/ \| jq .*/, "");
      expect(act(line), example).toMatchObject({ kind: "run" });
    }
  });
});

describe("the man page", () => {
  it.skipIf(spawnSync("groff", ["--version"]).error)("is mdoc that groff has no complaint about", () => {
    const { stderr, status } = spawnSync("groff", ["-mandoc", "-ww", "-z", manPath.pathname], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });

  it("says what it costs", () => {
    expect(man).toMatch(/^\.Sh OVERHEAD$/m);
    expect(man).toContain("sys_exit");
  });
});
