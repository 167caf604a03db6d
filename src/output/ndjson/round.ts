/** To the nanosecond where the unit is ms, and without the noise of binary fractions. */
export function round(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toFixed(6));
}
