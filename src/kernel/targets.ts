/** The targets of the command line, checked, and how they become entries of the kernel's table. */
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TargetConfig } from "../config.ts";
import type { Target } from "../core/profile/start.ts";
import { MAX_CGROUPS, MAX_COMMS, MAX_PORTS } from "../core/record-layout.ts";
import { UserError } from "../errors.ts";
import type { Probe } from "./probe.ts";
import { allPids, commOf, exists, processOf, withDescendants } from "./processes.ts";

/** The kernel side has room for so many. @throws UserError `too-many-targets` */
export function checkLimits({ comms, cgroups, ports }: TargetConfig): void {
  const limits = [
    ["--comm", comms.length, MAX_COMMS],
    ["--cgroup", cgroups.length, MAX_CGROUPS],
    ["--port", ports.length, MAX_PORTS],
  ] as const;
  for (const [flag, count, limit] of limits) {
    if (count <= limit) continue;
    const hint = `leave some out, or profile the whole machine with --all`;
    throw new UserError("too-many-targets", `${count} times ${flag}: at most ${limit} can be given`, hint, {
      exitCode: 2,
    });
  }
}

/** @throws UserError `no-such-pid` for a PID that does not exist. */
export function checkPids(pids: readonly number[]): number[] {
  return pids.map((pid) => {
    const process = processOf(pid);
    if (process !== null) return process;
    throw new UserError("no-such-pid", `there is no process ${pid}`, "see which there are: ps aux, or pgrep -a NAME");
  });
}

/** @throws UserError `bad-cgroup` for what is no cgroup v2 directory. The caller closes the descriptors. */
export function openCgroups(paths: readonly string[]): number[] {
  const fds: number[] = [];
  for (const path of paths) {
    try {
      closeSync(openSync(`${path}/cgroup.procs`, "r"));
      closeSync(openSync(`${path}/cgroup.controllers`, "r")); // cgroup v1 has none
      fds.push(openSync(path, "r"));
    } catch (cause) {
      for (const fd of fds) closeSync(fd);
      throw new UserError(
        "bad-cgroup",
        `${path} is no cgroup v2 directory`,
        "name one below /sys/fs/cgroup, such as /sys/fs/cgroup/system.slice/nginx.service",
        { cause },
      );
    }
  }
  return fds;
}

/** Gives the kernel the processes that there are now; those to come it finds itself. Answers the PIDs. */
export function addProcesses(probe: Probe, targets: TargetConfig, pids: readonly number[]): number[] {
  const named = targets.comms.length > 0 ? allPids().filter((pid) => targets.comms.includes(commOf(pid))) : [];
  let added: number[] = [];
  // Twice: what was forked before its parent was in the table is found the second time.
  for (let round = 0; round < 2; round++) {
    const roots = [...pids, ...named].filter((pid) => pid !== process.pid && exists(pid));
    added = targets.follow ? withDescendants(roots) : roots;
    for (const pid of added) probe.addTarget(pid);
  }
  return added;
}

export function describeTargets(targets: TargetConfig, pids: readonly number[]): Target[] {
  return [
    ...pids.map((pid) => ({ pid, comm: commOf(pid) })),
    ...targets.cgroups.map((cgroup) => ({ cgroup })),
    ...targets.comms.map((comm) => ({ comm })),
    ...targets.containers.map((container) => ({ container })),
    ...targets.pods.map((pod) => ({ pod })),
    ...targets.units.map((unit) => ({ unit })),
    ...(targets.all ? [{ all: true } as const] : []),
    ...targets.ports.map((port) => ({ port })),
  ];
}

/** All that are profiled now, as far as they can be told: those added, those of the cgroups, or everyone. */
export function processesOf(targets: TargetConfig, added: readonly number[]): readonly number[] {
  if (targets.all) return allPids().filter((pid) => pid !== process.pid);
  return [...new Set([...added, ...targets.cgroups.flatMap(processesBelow)])];
}

function processesBelow(cgroup: string): number[] {
  const directories = readdirSync(cgroup, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  return [cgroup, ...directories.map((entry) => join(entry.parentPath, entry.name))].flatMap(processesIn);
}

function processesIn(cgroup: string): number[] {
  try {
    return readFileSync(`${cgroup}/cgroup.procs`, "utf8").split("\n").filter(Boolean).map(Number);
  } catch {
    return []; // it is gone, or threaded
  }
}
