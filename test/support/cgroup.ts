import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onCleanup } from "./cleanup.ts";
import { until } from "./until.ts";

/** A cgroup v2 of the test's own; `add` moves a process into it. Gone after the test, once its processes are. */
export function createCgroup(name: string) {
  const directory = join(cgroupRoot(), `l7prof-test-${process.pid}-${name}`);
  mkdirSync(directory);
  onCleanup(() => until("the cgroup is empty", () => tryRemove(directory)));
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

function tryRemove(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch {
    return false;
  }
}
