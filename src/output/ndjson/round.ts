/** To the nanosecond where the unit is ms, and without the noise of binary fractions. */
export function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
