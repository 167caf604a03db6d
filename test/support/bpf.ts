import { execFileSync } from "node:child_process";
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

/** Waits until no program is left but those of `before`; the kernel frees them a moment after their last user's end. */
export async function untilProgramsAreGone(before: readonly BpfProgram[]): Promise<void> {
  const known = new Set(before.map((program) => program.id));
  await until("no BPF program is left", () => l7profPrograms().every((program) => known.has(program.id)));
}
