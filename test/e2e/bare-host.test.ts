/** Hosts that lack what l7prof needs, made by hiding it in a mount namespace of the run's own. */
import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { runChild } from "../support/child.ts";
import { inRepo, temporaryDirectory } from "../support/paths.ts";

const l7prof = `node ${inRepo("bin/l7prof.js")}`;

/** Runs l7prof and its doctor where `hide` (shell) has been done. */
async function runWhere(hide: string) {
  const as = (command: string) => runChild("unshare", ["--mount", "sh", "-e", "-c", `${hide}\n${command}`]);
  return { run: await as(`exec ${l7prof} --pid ${process.pid}`), doctor: await as(`exec ${l7prof} doctor --json`) };
}

function blockedIn(stdout: string) {
  const { blocked, checks } = JSON.parse(stdout);
  expect(blocked).toBe(true);
  return checks.filter(({ state }: { state: string }) => state === "blocked");
}

test("a kernel without BTF: one line and the fix, exit code 1; doctor says the same", async () => {
  const { run, doctor } = await runWhere("mount -t tmpfs none /sys/kernel/btf");
  expect(run).toMatchObject({ code: 1, stdout: "" });
  expect(run.stderr).toMatch(/^l7prof: the kernel has no BTF .*\n {2}fix: .*CONFIG_DEBUG_INFO_BTF=y.*\n?$/);
  expect(doctor.code).toBe(1);
  expect(blockedIn(doctor.stdout)).toEqual([
    expect.objectContaining({ name: "BTF", fix: expect.stringContaining("CONFIG_DEBUG_INFO_BTF=y") }),
    expect.objectContaining({ name: "programs", detail: "the kernel has no BTF (/sys/kernel/btf/vmlinux)" }),
  ]);
});

test("no libbpf: one line and the packages that have it, exit code 1; doctor says the same", async () => {
  const { stdout } = await runChild("sh", [
    "-c",
    "PATH=$PATH:/sbin:/usr/sbin ldconfig -p | sed -n 's/.*libbpf.so.1 .*=> //p'",
  ]);
  const libraries = dirname(realpathSync(stdout.split("\n")[0]!));
  const layers = temporaryDirectory();
  const { run, doctor } = await runWhere(`
    mount -t tmpfs none ${layers}
    mkdir ${layers}/upper ${layers}/work
    mount -t overlay none -o lowerdir=${libraries},upperdir=${layers}/upper,workdir=${layers}/work ${libraries}
    rm ${libraries}/libbpf.so.1*`);
  expect(run).toMatchObject({ code: 1, stdout: "" });
  expect(run.stderr).toMatch(/^l7prof: libbpf 1\.x .*not installed\n {2}fix: .*apt-get install libbpf1.*\n?$/);
  expect(doctor.code).toBe(1);
  expect(blockedIn(doctor.stdout).map(({ name, detail }: Record<string, string>) => [name, detail])).toEqual([
    ["libbpf", "libbpf 1.x (libbpf.so.1) is not installed"],
    ["programs", "libbpf 1.x (libbpf.so.1) is not installed"],
  ]);
});
