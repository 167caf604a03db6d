import { runChild } from "./child.ts";
import { inRepo } from "./paths.ts";

/** Runs a bash command line in which `$l7prof` is l7prof. */
export function shell(commandLine: string) {
  return runChild("bash", ["-c", commandLine], { env: { l7prof: `node ${inRepo("bin/l7prof.js")}` } });
}
