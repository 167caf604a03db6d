/** A script for the shell, run where it can do nothing but call curl, which only notes down its words. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check, same } from "./property.ts";

const CALL_ENDS = "-- this call of curl ends --";
const curl = `curl() { printf '%s\\0' "$@" "${CALL_ENDS}"; while read -r _; do :; done }\n`;
/** The one program that a script may need. */
const BASE64 = "/usr/bin/base64";

/** The words of each call, as latin1 of their bytes. */
export function curlCalls(script: Uint8Array): readonly (readonly string[])[] {
  const directory = mkdtempSync(join(tmpdir(), "l7prof-"));
  try {
    if (existsSync(BASE64)) symlinkSync(BASE64, join(directory, "base64"));
    const file = join(directory, "script");
    writeFileSync(file, Buffer.concat([Buffer.from(curl), script]));
    const before = readdirSync(directory);
    const { status, stdout, stderr } = spawnSync("/bin/bash", ["--noprofile", "--norc", file], {
      cwd: directory,
      env: { PATH: directory },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 20_000,
    });
    same([status, stderr.toString("latin1")], [0, ""], "status and stderr of the shell");
    same(readdirSync(directory), before, "files that it left");
    const words = stdout.toString("latin1").split("\0");
    check(words.pop() === "", "it printed something else");
    return callsOf(words);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function callsOf(words: readonly string[]): readonly (readonly string[])[] {
  const calls: string[][] = [];
  let call: string[] = [];
  for (const word of words) {
    if (word !== CALL_ENDS) call.push(word);
    else {
      calls.push(call);
      call = [];
    }
  }
  same(call, [], "words outside of a call");
  return calls;
}
