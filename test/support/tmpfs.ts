import { execFileSync } from "node:child_process";
import { onCleanup } from "./cleanup.ts";
import { temporaryDirectory } from "./paths.ts";

/** A file system of `size` bytes, to be filled. */
export function mountTmpfs(size: number): string {
  const directory = temporaryDirectory();
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "l7prof-test", directory]);
  onCleanup(() => execFileSync("umount", [directory]));
  return directory;
}
