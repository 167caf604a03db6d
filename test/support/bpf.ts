import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { until } from "./until.ts";

export interface BpfProgram {
  readonly id: number;
  readonly name?: string;
  readonly run_time_ns?: number;
  readonly run_cnt?: number;
}

/** The programs of l7prof that the kernel holds now; their names begin with `l7p_`. */
export function l7profPrograms(): readonly BpfProgram[] {
  const programs = JSON.parse(execFileSync("bpftool", ["-j", "prog", "show"], { encoding: "utf8" })) as BpfProgram[];
  return programs.filter((program) => program.name?.startsWith("l7p_"));
}

/**
 * Waits until no program is left but those of `before` and those of another l7prof that runs on this machine; the
 * kernel frees them a moment after their last user's end.
 */
export async function untilProgramsAreGone(before: readonly BpfProgram[]): Promise<void> {
  const known = new Set(before.map((program) => program.id));
  const left = () => l7profPrograms().filter((program) => !known.has(program.id));
  await until("no BPF program is left", () => {
    const programs = left();
    if (programs.length === 0) return true;
    const held = heldPrograms();
    return programs.every((program) => held.has(program.id));
  });
}

/** The programs that some process has a descriptor of. */
export function heldPrograms(): ReadonlySet<number> {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return new Set(pids.flatMap(programsOf));
}

/** The programs that the process has a descriptor of. */
export function programsOf(pid: number | string): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/fdinfo`).flatMap((fd) => {
      const [, id] = /^prog_id:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8")) ?? [];
      return id === undefined ? [] : [Number(id)];
    });
  } catch {
    return []; // it has ended, or closed a descriptor, meanwhile
  }
}

/** How many links of a process lead to user-space functions: one for many places since kernel 6.6, else one for each. */
export function uprobeLinksOf(pid: number): number {
  const directory = `/proc/${pid}/fdinfo`;
  return readdirSync(directory).filter((fd) => {
    try {
      return /^link_type:\s*(uprobe_multi|perf)/m.test(readFileSync(`${directory}/${fd}`, "utf8"));
    } catch {
      return false; // it was closed meanwhile
    }
  }).length;
}
