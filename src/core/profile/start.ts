/** What the user asked for, as a run says it at its start. */

export interface Start {
  readonly timeUs: number;
  /** The version of l7prof. */
  readonly l7prof: string;
  readonly targets: readonly Target[];
  readonly rules: readonly SamplingRule[];
}

/** One target of the command line; exactly one kind of it is present. */
export type Target =
  | { readonly pid: number; readonly comm: string }
  | { readonly cgroup: string }
  | { readonly comm: string }
  | { readonly container: string }
  | { readonly pod: string }
  | { readonly unit: string }
  | { readonly all: true }
  | { readonly port: number };

/** A sampling rule as the user gave it; the last of a list is the default rule, whose `uriRegex` is null. */
export interface SamplingRule {
  readonly uriRegex: string | null;
  /** Sample exchanges that took at least this long; null: not by duration. */
  readonly slowMs: number | null;
  readonly on4xx: boolean;
  readonly on5xx: boolean;
  readonly keep: "request" | "response" | "both" | "none";
  readonly maxRequestBytes: number;
  readonly maxResponseBytes: number;
}
