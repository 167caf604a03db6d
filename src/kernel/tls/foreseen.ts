/**
 * Files of which a program that starts will have its TLS library: they must be probed before it does, since it may be
 * done within a few milliseconds.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { environmentOf } from "../processes.ts";
import type { MappedFile } from "./mapped-files.ts";

const NAME = /^lib(ssl|gnutls)\.so\.\d[\w.]*$/;
const CONFIGURATIONS = "/etc/ld.so.conf.d";
/** Debian's directories are named by the machine. */
const MULTIARCH = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
const DIRECTORIES = ["/lib64", "/usr/lib64", `/usr/lib/${MULTIARCH}`, "/lib", "/usr/lib", "/usr/local/lib"];
/** A container may hold, and a process name, as many as it likes. */
const MAX_LIBRARIES = 64;
const MAX_DIRECTORIES = 64;
/** Programs that have a library within themselves, and that others start by name. */
const RUNTIMES = ["node"];

/** What the system of a process offers to programs, in its container if it is in one. */
export function systemLibraries(pid: number): MappedFile[] {
  const configured = pid === process.pid ? configuredDirectories() : []; // a container could make anything of these
  const directories = new Set([...configured, ...DIRECTORIES]);
  const paths = [...directories].flatMap((directory) =>
    entriesOf(`/proc/${pid}/root${directory}`)
      .filter((name) => NAME.test(name))
      .map((name) => join(directory, name)),
  );
  return paths.slice(0, MAX_LIBRARIES).flatMap((path) => fileAt(path, pid));
}

/** The program that a command line runs, looked up as a shell does. */
export function programOf(command: readonly string[]): MappedFile[] {
  const [name = ""] = command;
  return name.includes("/") ? fileAt(resolve(name)) : onPath(process.env.PATH ?? "", name);
}

/** Runtimes that a process would find, in its container if it is in one. */
export function runtimesOf(pid: number): MappedFile[] {
  const path = environmentOf(pid).get("PATH") ?? "";
  return RUNTIMES.flatMap((name) => onPath(path, name, pid));
}

function onPath(path: string, name: string, pid = process.pid): MappedFile[] {
  const directories = path.split(delimiter, MAX_DIRECTORIES).filter((directory) => isAbsolute(directory));
  for (const directory of directories) {
    const found = fileAt(join(directory, name), pid);
    if (found.length > 0) return found;
  }
  return [];
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

/** The regular file at an absolute path, as the process sees it. */
function fileAt(path: string, pid = process.pid): MappedFile[] {
  try {
    const stats = statSync(`/proc/${pid}/root${path}`);
    if (!stats.isFile()) return [];
    const { dev, ino } = stats;
    // As glibc's gnu_dev_major and gnu_dev_minor take a number apart that fits 32 bits.
    const [major, minor] = [(dev >>> 8) & 0xfff, (dev & 0xff) | ((dev >>> 12) & 0xfff00)];
    return [{ id: `${major}:${minor}:${ino}`, pid, path, range: null }];
  } catch {
    return [];
  }
}
