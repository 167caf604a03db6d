/**
 * Programs of uprobes can be preempted by others of their kind, and nothing keeps a second run of one out. So none may
 * have its stack in memory of the CPU, as kernels from 6.13 on give it to programs: one run would overwrite another's.
 */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { programsOf } from "../support/bpf.ts";
import { startL7prof } from "../support/l7prof.ts";
import { inRepo } from "../support/paths.ts";
import { startNodeServer } from "../support/servers.ts";

const BPF_PROG_TYPE_KPROBE = "2"; // those of uprobes

test.runIf(process.arch === "x64")("no program of a uprobe has its stack in memory of the CPU", async () => {
  const server = await startNodeServer();
  const run = await startL7prof(["--pid", `${server.pid}`]);
  const ids = [...new Set(programsOf(run.pid))].map(String);
  const lines = execFileSync("python3", [inRepo("test/support/jited-code.py"), ...ids], { encoding: "utf8" });
  const programs = lines.split("\n").map((line) => line.split(" "));
  const uprobes = programs.filter(([kind]) => kind === BPF_PROG_TYPE_KPROBE);
  expect(uprobes.map(([, name]) => name)).toContain("l7p_tls_end");
  expect(uprobes.filter(([, , count]) => count !== "0")).toEqual([]);
  await run.finish();
});
