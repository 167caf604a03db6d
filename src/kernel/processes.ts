/** What /proc tells of processes. Any of them may end while it is read: then it is as if it had never been. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export function exists(pid: number): boolean {
  return read(`/proc/${pid}/stat`) !== null;
}

/** The process's name as the kernel keeps it, at most 15 bytes; "" if it has ended. */
export function commOf(pid: number): string {
  return read(`/proc/${pid}/comm`)?.trimEnd() ?? "";
}

/** A thread's id is not its process's: this answers the process's, or null. */
export function processOf(id: number): number | null {
  const tgid = /^Tgid:\s*(\d+)/m.exec(read(`/proc/${id}/status`) ?? "")?.[1];
  return tgid === undefined ? null : Number(tgid);
}

/** The path of its cgroup v2 group, from the root of the hierarchy; null if there is no such hierarchy. */
export function unifiedGroupOf(pid: number): string | null {
  return /^0::(.*)$/m.exec(read(`/proc/${pid}/cgroup`) ?? "")?.[1] ?? null;
}

/** Of its start; empty if it has ended. */
export function environmentOf(pid: number): ReadonlyMap<string, string> {
  const variables = (read(`/proc/${pid}/environ`) ?? "").split("\0").map((text) => text.split(/=(.*)/s));
  return new Map(variables.map(([name = "", value = ""]) => [name, value]));
}

/** What tells whether two processes see the same files; null if it has ended. */
export function mountNamespaceOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return null;
  }
}

export function allPids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Those processes, and all that descend from them. */
export function withDescendants(pids: readonly number[]): number[] {
  const children = new Map<number, number[]>();
  for (const pid of allPids()) {
    const parent = parentOf(pid);
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = new Set<number>();
  const left = [...pids];
  for (let pid = left.pop(); pid !== undefined; pid = left.pop()) {
    if (found.has(pid)) continue;
    found.add(pid);
    left.push(...(children.get(pid) ?? []));
  }
  return [...found];
}

function parentOf(pid: number): number | null {
  // The name in parentheses may itself hold parentheses and blanks.
  const parent = /\) \S (\d+) /.exec(read(`/proc/${pid}/stat`)?.replace(/^.*(?=\) \S \d)/s, "") ?? "")?.[1];
  return parent === undefined ? null : Number(parent);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
