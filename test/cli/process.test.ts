/** l7prof as a process: what reaches stdout, stderr and the shell. Needs no kernel: nothing here profiles. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
let installed = "";

/** A package of its own, built from the sources as they are; below node_modules, so that it finds its dependencies. */
beforeAll(() => {
  mkdirSync(join(root, "node_modules/.cache"), { recursive: true });
  installed = mkdtempSync(join(root, "node_modules/.cache/l7prof-"));
  for (const part of ["bin", "package.json"]) cpSync(join(root, part), join(installed, part), { recursive: true });
  const out = join(installed, "dist");
  spawnSync("npx", ["tsc", "-p", "tsconfig.build.json", "--outDir", out], { cwd: root, timeout: 60_000 });
}, 60_000);

afterAll(() => rmSync(installed, { recursive: true, force: true }));

function shell(command: string, env: Record<string, string> = {}) {
  const options = {
    encoding: "utf8",
    env: { PATH: process.env.PATH, L: join(installed, "bin/l7prof.js"), ...env },
  } as const;
  const { status, stdout, stderr } = spawnSync("bash", ["--norc", "-c", command], options);
  return { status, stdout, stderr };
}

describe("l7prof as a process", () => {
  it("prints help and version to stdout, exit 0", () => {
    expect(shell('"$L" --help')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Usage/), stderr: "" });
    expect(shell('"$L" --version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d/), stderr: "" });
  });

  it.each([
    ["", /^l7prof: nothing to profile\n {2}fix: .+\n$/],
    ["--slo 1s", /^l7prof: unknown option --slo\n {2}fix: did you mean --slow\?\n$/],
    ["--all --pid x", /^l7prof: --pid: "x" is not a process id\n {2}fix: .+\n$/],
    ["--all --uri-regex '('", /^l7prof: --uri-regex \( is not a regular expression: .+\n {2}fix: .+\n$/],
  ])("l7prof %s: two lines on stderr, exit 2", (line, stderr) => {
    expect(shell(`"$L" ${line}`)).toEqual({ status: 2, stdout: "", stderr: expect.stringMatching(stderr) });
  });

  it("adds the stack with --debug, though the command line is wrong, but not with a command's own --debug", () => {
    expect(shell('"$L" --debug --all --top x').stderr).toContain("    at ");
    expect(shell('"$L" --all --top x -- cmd --debug').stderr).not.toContain("    at ");
  });

  it("ends quietly with 0 when nobody reads its output", () => {
    expect(shell('"$L" --help | true; echo $PIPESTATUS')).toEqual({ status: 0, stdout: "0\n", stderr: "" });
    expect(shell('"$L" --all --top x 2>&1 >/dev/null | true; echo $PIPESTATUS').stdout).toMatch(/^[02]\n$/);
  });

  it("says so when the output can't be written", () => {
    const { status, stderr } = shell('"$L" --help > /dev/full');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^l7prof: the output could not be written: ENOSPC.+\n {2}fix: free some space there\n$/);
  });

  it("starts fast: --version imports neither the kernel's side nor a regex engine", () => {
    const loaded = shell('NODE_DEBUG=esm,module "$L" --version').stderr;
    expect(loaded).toContain("commander");
    expect(loaded).not.toMatch(/koffi|re2js/);
  });
});
