/** Where Maven Central can't be reached, test:backends says so, and checks what is sent to Zipkin against its definition. */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { inRepo } from "../support/paths.ts";

const unreachable = `echo "Could not transfer artifact: Connect to repository failed" >&2; exit 1`;
const reachable = `for word; do case $word in -DoutputDirectory=*) out=\${word#*=} version=3.4.2; mkdir -p "$out"
  echo jar > "$out/zipkin-server-$version-exec.jar" ;; esac; done`;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "l7prof-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Runs the script in a checkout of its own, where `npx` notes what it was to run and answers `status`. */
function run(maven: string, status = 0) {
  for (const name of ["scripts", "tmp", "bin"]) mkdirSync(join(directory, name));
  copyFileSync(inRepo("scripts/test-backends.sh"), join(directory, "scripts/test-backends.sh"));
  const noted = join(directory, "noted");
  const program = (path: string, text: string) => {
    writeFileSync(join(directory, path), `#!/bin/sh\n${text}\n`);
    chmodSync(join(directory, path), 0o755);
  };
  program("scripts/setup.sh", "exit 0");
  program("bin/mvn", maven);
  program("bin/npx", `echo "$* jar=\${ZIPKIN_JAR##*/}" >> '${noted}'; exit ${status}`);
  const { status: code, stderr } = spawnSync("sh", [join(directory, "scripts/test-backends.sh")], {
    encoding: "utf8",
    env: { ...process.env, PATH: `${join(directory, "bin")}:${process.env.PATH}`, ZIPKIN_JAR: "" },
  });
  return { code, stderr, ran: readFileSync(noted, "utf8").trimEnd().split("\n") };
}

test("reached: the real server, and nothing else is said", () => {
  const { code, stderr, ran } = run(reachable);
  expect(ran).toEqual(["vitest run --project backends jar=zipkin-server-3.4.2-exec.jar"]);
  expect([code, stderr]).toEqual([0, ""]);
});

test("not reached: the definition's limits, and all the other backends", () => {
  const { code, stderr, ran } = run(unreachable);
  expect(stderr).toMatch(/Maven Central can't be reached .* limits of its OpenAPI definition instead/);
  expect(ran).toEqual([
    "vitest run --project unit test/export/zipkin-span.test.ts jar=",
    "vitest run --project backends --exclude test/backends/zipkin.test.ts jar=",
  ]);
  expect(code).toBe(0);
});

test("not reached, and the limits are not kept: it fails", () => {
  const { code, ran } = run(unreachable, 1);
  expect([code, ran]).toEqual([1, ["vitest run --project unit test/export/zipkin-span.test.ts jar="]]);
});
