/** One line of `l7prof doctor`. */
export interface Check {
  readonly name: string;
  readonly state: "ok" | "degraded" | "blocked";
  readonly detail: string;
  /** null when there is nothing to fix. */
  readonly fix: string | null;
}
