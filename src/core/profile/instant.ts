/** A point in time, to the nanosecond. */
export interface Instant {
  /** From the epoch. */
  readonly seconds: number;
  /** Nanoseconds of the second, 0 to 999,999,999. */
  readonly nanos: number;
}
