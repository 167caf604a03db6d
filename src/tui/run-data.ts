/** What the run has told so far, as far as the screen shows it: bounded, whatever the run is. */
import type { Sample, SampleReason } from "../core/profile/sample.ts";
import type { Start } from "../core/profile/start.ts";
import type { Ended, Summary, Total, Warning, Window } from "../core/profile/window.ts";

/** What one window adds to the last minute. */
export interface Moment {
  readonly endMs: number;
  readonly lengthMs: number;
  readonly requests: number;
  /** Exchanges by `statusKey`. */
  readonly statuses: ReadonlyMap<string, number>;
}

export interface SeenWarning {
  readonly warning: Warning;
  readonly count: number;
}

/** A picture of it that does not change any more. */
export interface RunData {
  readonly start: Start | null;
  readonly window: Window | null;
  readonly total: Total | null;
  readonly history: readonly Moment[];
  /** Newest first. */
  readonly samples: readonly Sample[];
  /** All that were told, kept here or not. */
  readonly sampleCount: number;
  /** Newest first. */
  readonly warnings: readonly SeenWarning[];
  readonly ended: Ended | null;
}

export const MINUTE_MS = 60_000;
const MAX_MOMENTS = 1000;
const MAX_SAMPLES = 100;
const MAX_WARNINGS = 200;

export class RunDataCollector {
  private data: Omit<RunData, "history" | "samples" | "warnings"> = {
    start: null,
    window: null,
    total: null,
    sampleCount: 0,
    ended: null,
  };
  private history: Moment[] = [];
  private readonly samples: Record<SampleReason, Sample[]> = { slow: [], "4xx": [], "5xx": [], trace: [] };
  private warnings: SeenWarning[] = [];

  picture(): RunData {
    return { ...this.data, history: this.history, samples: this.newestSamples(), warnings: this.warnings };
  }

  start(start: Start): void {
    this.data = { ...this.data, start };
  }

  window(window: Window): void {
    this.data = { ...this.data, window };
    const moment = momentOf(window);
    const oldestMs = moment.endMs - MINUTE_MS;
    this.history = [...this.history.filter(({ endMs }) => endMs > oldestMs), moment].slice(-MAX_MOMENTS);
  }

  total(total: Total): void {
    this.data = { ...this.data, total };
  }

  sample(sample: Sample): void {
    this.data = { ...this.data, sampleCount: this.data.sampleCount + 1 };
    // Each reason keeps its own, so that many of one do not push out the few of another.
    for (const reason of sample.reasons) {
      const list = this.samples[reason];
      list.unshift(sample);
      if (list.length > MAX_SAMPLES) list.pop();
    }
  }

  /** The same one again counts up. */
  warning(warning: Warning): void {
    const isSame = (seen: SeenWarning) =>
      seen.warning.code === warning.code && seen.warning.message === warning.message;
    const count = 1 + (this.warnings.find(isSame)?.count ?? 0);
    this.warnings = [{ warning, count }, ...this.warnings.filter((seen) => !isSame(seen))].slice(0, MAX_WARNINGS);
  }

  summary(summary: Summary): void {
    this.data = { ...this.data, total: summary, ended: summary.ended };
  }

  reset(): void {
    for (const list of Object.values(this.samples)) list.length = 0;
    this.data = { ...this.data, sampleCount: 0 };
  }

  private newestSamples(): Sample[] {
    const all = new Set(Object.values(this.samples).flat());
    return [...all].sort((a, b) => b.timeUs - a.timeUs);
  }
}

/** `server 200`: what the process answered and what it was answered are two things. */
export function statusKey(side: string, status: string): string {
  return `${side} ${status}`;
}

function momentOf({ timeUs, windowMs, edges }: Window): Moment {
  const statuses = new Map<string, number>();
  for (const { side, statuses: counts } of edges) {
    for (const [status, count] of Object.entries(counts)) {
      const key = statusKey(side, status);
      statuses.set(key, (statuses.get(key) ?? 0) + count);
    }
  }
  return {
    endMs: timeUs / 1000,
    lengthMs: windowMs,
    requests: edges.reduce((sum, { requests }) => sum + requests, 0),
    statuses,
  };
}
