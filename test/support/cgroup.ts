import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onCleanup } from "./cleanup.ts";
import { until } from "./until.ts";

const killAfterMs = 3000;

/**
 * A cgroup v2 of the test's own; `add` moves a process into it. Gone after the test, once its processes are; what has not
 * ended by then (a server's workers that lost their master) is killed.
 */
export function createCgroup(name: string) {
  const directory = join(cgroupRoot(), `l7prof-test-${process.pid}-${name}`);
  mkdirSync(directory);
  onCleanup(async () => {
    const timer = setTimeout(() => killAll(directory), killAfterMs);
    await until("the cgroup is empty", () => tryRemove(directory));
    clearTimeout(timer);
  });
  return {
    directory,
    add: (pid: number) => writeFileSync(join(directory, "cgroup.procs"), `${pid}`),
  };
}

/** Where cgroup v2 is mounted: alone, or beside v1 on a hybrid machine. */
function cgroupRoot(): string {
  const roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
  const root = roots.find(
    (path) => existsSync(join(path, "cgroup.procs")) && existsSync(join(path, "cgroup.controllers")),
  );
  if (!root) throw new Error(`no cgroup v2 at ${roots.join(" or ")}`);
  return root;
}

function killAll(directory: string): void {
  for (const pid of readFileSync(join(directory, "cgroup.procs"), "utf8").split("\n").filter(Boolean))
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {} // it has just ended
}

function tryRemove(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch {
    return false;
  }
}
