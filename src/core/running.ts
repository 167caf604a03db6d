/** What adds up: counters and distributions of a stretch of time. */
export interface Summable<T> {
  readonly isEmpty: boolean;
  add(other: T): void;
  reset(): void;
}

/** A window that becomes part of a total when it ends. */
export class Running<T extends Summable<T>> {
  readonly window: T;
  readonly total: T;
  /** What was in the total before it began anew. */
  private before: T | null = null;
  private readonly make: () => T;

  constructor(make: () => T) {
    this.make = make;
    this.window = make();
    this.total = make();
  }

  endWindow(): void {
    if (this.window.isEmpty) return;
    this.total.add(this.window);
    this.window.reset();
  }

  /** The total begins anew. */
  reset(): void {
    if (this.total.isEmpty) return;
    this.before ??= this.make();
    this.before.add(this.total);
    this.total.reset();
  }

  /** The total is that of the whole run again. */
  restore(): void {
    if (this.before !== null) this.total.add(this.before);
    this.before = null;
  }
}
