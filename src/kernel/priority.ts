/**
 * The ring fills at the targets' speed. On a machine whose cores are all busy l7prof would wait for its turn with the
 * rest, start late and lose events: so it goes first, as atop does. It takes no more time than before, only sooner.
 */
import { readdirSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

/** Units of nice(2): a process that wants the CPU at 0 gets a tenth of the share of one at -10. */
const URGENT = -10;

/** Whoever was started at another niceness than 0 keeps it: somebody has chosen it. */
export function goFirst(): void {
  if (getPriority() !== 0) return;
  try {
    for (const thread of readdirSync("/proc/self/task")) setPriority(Number(thread), URGENT);
  } catch {
    // Without CAP_SYS_NICE it stays as it is.
  }
}
