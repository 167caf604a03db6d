/**
 * The TLS libraries that this system offers to programs: those of a program that starts must be probed before it has
 * loaded them, since it may be done within a few milliseconds.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { MappedFile } from "./mapped-files.ts";

const NAME = /^lib(ssl|gnutls)\.so\.\d/;
const CONFIGURATIONS = "/etc/ld.so.conf.d";
const DIRECTORIES = ["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"];

export function systemLibraries(): MappedFile[] {
  const directories = new Set([...configuredDirectories(), ...DIRECTORIES]);
  const paths = [...directories].flatMap((directory) =>
    entriesOf(directory)
      .filter((name) => NAME.test(name))
      .map((name) => join(directory, name)),
  );
  return paths.flatMap(fileAt);
}

/** The program that a command line runs, looked up as a shell does. */
export function programOf(command: readonly string[]): MappedFile[] {
  const [name = ""] = command;
  if (name.includes("/")) return fileAt(name);
  const directories = (process.env.PATH ?? "").split(delimiter);
  return directories.flatMap((directory) => fileAt(join(directory, name))).slice(0, 1);
}

/** ld.so.conf(5) */
function configuredDirectories(): string[] {
  return entriesOf(CONFIGURATIONS).flatMap((name) => {
    try {
      const lines = readFileSync(join(CONFIGURATIONS, name), "utf8").split("\n");
      return lines.map((line) => line.trim()).filter((line) => line.startsWith("/"));
    } catch {
      return [];
    }
  });
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function fileAt(path: string): MappedFile[] {
  try {
    const { dev, ino } = statSync(path);
    // As glibc's gnu_dev_major and gnu_dev_minor take a number apart that fits 32 bits.
    const [major, minor] = [(dev >>> 8) & 0xfff, (dev & 0xff) | ((dev >>> 12) & 0xfff00)];
    return [{ id: `${major}:${minor}:${ino}`, pid: process.pid, path, range: null }];
  } catch {
    return [];
  }
}
