import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onCleanup } from "./cleanup.ts";

/** The checkout; found by its lock file, since bench/ runs compiled copies of these files from tmp/. */
export const root = findRoot(dirname(fileURLToPath(import.meta.url)));

export function inRepo(path: string): string {
  return join(root, path);
}

/** A directory that any user can enter, gone after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "l7prof-"));
  onCleanup(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function findRoot(directory: string): string {
  return existsSync(join(directory, "package-lock.json")) ? directory : findRoot(dirname(directory));
}
