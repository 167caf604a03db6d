/** The files that a process has mapped as code: its program, libraries, what it has dlopen'ed. */
import { closeSync, constants, fstatSync, openSync, readFileSync, statfsSync } from "node:fs";
import { basename } from "node:path";

export interface MappedFile {
  /** `device:inode`, the same under all paths of a file system, as RecordCursor.mappedFile has it. */
  readonly id: string;
  readonly pid: number;
  /** As the process sees it, which may be in another mount namespace. */
  readonly path: string;
  /** Addresses of the mapping, as /proc/PID/map_files names it; null for a file that nobody needs to have mapped. */
  readonly range: string | null;
}

/** None if the process has ended. */
export function mappedFiles(pid: number): MappedFile[] {
  const files = new Map<string, MappedFile>();
  for (const line of mapsOf(pid).split("\n")) {
    const [, range, major, minor, inode, path] =
      /^([0-9a-f]+-[0-9a-f]+) ..x. [0-9a-f]+ ([0-9a-f]+):([0-9a-f]+) ([1-9]\d*) +(\/.*)$/.exec(line) ?? [];
    if (range === undefined || major === undefined || minor === undefined || path === undefined) continue;
    const id = `${Number.parseInt(major, 16)}:${Number.parseInt(minor, 16)}:${inode}`;
    if (!files.has(id)) files.set(id, { id, pid, path: path.replace(/ \(deleted\)$/, ""), range });
  }
  return [...files.values()];
}

/** Runs `use` with a descriptor of the file, wherever it lies; null if it can't be opened. */
export function withFile<T>({ pid, path, range }: MappedFile, use: (fd: number) => T): T | null {
  // The mapping itself leads to the file even if it was replaced or deleted; that takes more rights than the path.
  const byMapping = range === null ? [] : [`/proc/${pid}/map_files/${range}`];
  const fd = openFirst([...byMapping, `/proc/${pid}/root${path}`]);
  if (fd === null) return null;
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

const OVERLAYFS = 0x794c7630;

/**
 * Which file it is on the disk. Containers of one image see it through a file system each (overlayfs), with a device
 * of its own; but the inode's number and its times are those on the disk.
 */
export function keyOnDisk(fd: number): string {
  const { dev, ino, size, ctimeNs } = fstatSync(fd, { bigint: true });
  const isOverlaid = statfsSync(`/proc/self/fd/${fd}`).type === OVERLAYFS;
  return isOverlaid ? `${ino} ${size} ${ctimeNs}` : `${dev}:${ino}`;
}

export function nameOf({ path }: MappedFile): string {
  return basename(path);
}

function openFirst(paths: readonly string[]): number | null {
  for (const path of paths) {
    try {
      return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK); // a pipe by that name does not hold us up
    } catch {
      // the next one
    }
  }
  return null;
}

function mapsOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/maps`, "utf8");
  } catch {
    return "";
  }
}
