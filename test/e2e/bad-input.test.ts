import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runChild } from "../support/child.ts";
import { l7prof, l7profAsNobody } from "../support/l7prof.ts";
import { temporaryDirectory } from "../support/paths.ts";

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** CONTRACT: one line that says what is wrong, one that says how to fix it, and no stack trace. */
function expectRefusal({ code, stdout, stderr }: Outcome, exitCode: 1 | 2, says: RegExp) {
  expect(stderr).toMatch(says);
  expect({ code, stdout, lines: stderr.trimEnd().split("\n").length }).toEqual({
    code: exitCode,
    stdout: "",
    lines: 2,
  });
  expect(stderr).not.toMatch(/^ +at /m);
}

const self = ["--pid", `${process.pid}`];

const wrongCommandLines: readonly [what: string, args: readonly string[], says: RegExp][] = [
  ["no target", [], /target|--pid/],
  ["a PID that is no number", ["--pid", "nginx"], /nginx/],
  ["a bad regex", [...self, "--uri-regex", "("], /\(/],
  ["a regex beyond RE2", [...self, "--uri-regex", "(?=x)"], /\(\?=x\)/],
  ["a bad duration", [...self, "--duration", "10parsecs"], /10parsecs/],
  ["a bad --slow", [...self, "--slow", "fast"], /fast/],
  ["a bad --keep", [...self, "--keep", "all"], /all/],
  ["a bad port", [...self, "--port", "70000"], /70000/],
  ["a negative count", [...self, "--count", "-3"], /-3/],
  ["--json with --plain", [...self, "--json", "--plain"], /--json.*--plain|--plain.*--json/],
  ["replay with a target", ["replay", "x.l7prof", ...self], /--pid/],
  ["an unknown flag", [...self, "--colour"], /--colour/],
  ["a bad --group-by", [...self, "--group-by", "planet"], /planet/],
];

for (const [what, args, says] of wrongCommandLines) {
  test(`${what}: exit code 2`, async () => expectRefusal(await l7prof(args), 2, says));
}

test("an unknown PID: named, exit code 1", async () => {
  const { stdout } = await runChild("sh", ["-c", "echo $$"]);
  expectRefusal(await l7prof(["--pid", stdout]), 1, new RegExp(`\\b${stdout}\\b`));
});

test("a cgroup that does not exist: named, exit code 1", async () => {
  expectRefusal(await l7prof(["--cgroup", "/sys/fs/cgroup/none/such"]), 1, /none\/such/);
});

test("not root: said with the fix, exit code 1", async () => {
  expectRefusal(await l7profAsNobody(self), 1, /root/);
});

test("a recording that does not exist, that may not be read, that is foreign: exit code 1", async () => {
  const directory = temporaryDirectory();
  chmodSync(directory, 0o755);
  const foreign = join(directory, "foreign.l7prof");
  const forbidden = join(directory, "forbidden.l7prof");
  writeFileSync(foreign, "PK\x03\x04 this is something else entirely\n".repeat(100));
  writeFileSync(forbidden, "", { mode: 0o600 });
  expectRefusal(await l7prof(["replay", join(directory, "absent.l7prof")]), 1, /absent\.l7prof/);
  expectRefusal(await l7prof(["replay", directory]), 1, new RegExp(directory));
  expectRefusal(await l7prof(["replay", foreign]), 1, /foreign\.l7prof.*recording/);
  expectRefusal(await l7profAsNobody(["replay", forbidden]), 1, /forbidden\.l7prof/);
});

test("a command that does not exist: named, exit code 1", async () => {
  expectRefusal(await l7prof(["--", "no-such-command-anywhere"]), 1, /no-such-command-anywhere/);
});

test("--debug adds the stack trace", async () => {
  const { stderr } = await l7prof([...self, "--uri-regex", "(", "--debug"]);
  expect(stderr).toMatch(/^ +at /m);
});
