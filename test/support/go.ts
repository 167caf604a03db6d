/** Builds programs of test/servers/, each once for each way to do so; the compiler's cache makes the second run short. */
import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { runChild } from "./child.ts";
import { inRepo } from "./paths.ts";

export const goBuilds = {
  plain: [],
  stripped: ["-ldflags=-s -w"],
  pie: ["-buildmode=pie", "-ldflags=-s -w"],
  "not optimized": ["-gcflags=all=-N -l"],
} as const;

export type GoBuild = keyof typeof goBuilds;

export async function buildGo(how: GoBuild, name = "https"): Promise<string> {
  const source = inRepo(`test/servers/go-${name}.go`);
  const directory = inRepo("tmp/go");
  mkdirSync(directory, { recursive: true });
  const program = join(directory, `${name}-${how.replace(" ", "-")}`);
  const isFresh = existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs;
  if (!isFresh) await runChild("go", ["build", ...goBuilds[how], "-o", program, source]);
  return program;
}
