/** The processes whose end is the run's. */
import type { RecordCursor } from "../core/decode.ts";
import { EVENT_PROCESS, PROCESS_ENDED, PROCESS_STARTED } from "../core/record-layout.ts";
import { exists } from "./processes.ts";

const LIVENESS_MS = 1000;

export class AwaitedProcesses {
  private readonly alive: Set<number>;
  private checkedMs = 0;

  constructor(pids: Iterable<number>) {
    this.alive = new Set(pids);
  }

  notice(record: RecordCursor): void {
    if (record.kind !== EVENT_PROCESS) return;
    if (record.what === PROCESS_STARTED) this.alive.add(record.pid);
    else if (record.what === PROCESS_ENDED) this.alive.delete(record.pid);
  }

  /** Also asks /proc now and then, in case the kernel's word was lost. */
  haveEnded(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.checkedMs >= LIVENESS_MS) {
      this.checkedMs = nowMs;
      for (const pid of this.alive) if (!exists(pid)) this.alive.delete(pid);
    }
    return this.alive.size === 0;
  }
}
