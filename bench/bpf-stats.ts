import { readFileSync, writeFileSync } from "node:fs";
import { onCleanup } from "../test/support/cleanup.ts";

const file = "/proc/sys/kernel/bpf_stats_enabled";

/** The kernel counts the run time of BPF programs until the next cleanup, which restores what was set before. */
export function enableBpfStats(): void {
  const before = readFileSync(file, "utf8");
  writeFileSync(file, "1");
  onCleanup(() => writeFileSync(file, before));
}
