/**
 * Quantities as people read them. Durations and sizes are rounded to `digits` significant digits before the unit
 * is chosen, so 999.7 µs is `1.0ms` and never `1000µs`; shares never round to all or nothing.
 */

export type Digits = 2 | 3;

interface Unit {
  readonly name: string;
  /** How many of it make one of the next. */
  readonly per: number;
}

const DURATIONS: readonly Unit[] = [
  { name: "µs", per: 1000 },
  { name: "ms", per: 1000 },
  { name: "s", per: 60 },
  { name: "min", per: 60 },
  { name: "h", per: Number.POSITIVE_INFINITY },
];

const SIZES: readonly Unit[] = [
  { name: "B", per: 1024 },
  { name: "KiB", per: 1024 },
  { name: "MiB", per: 1024 },
  { name: "GiB", per: 1024 },
  { name: "TiB", per: Number.POSITIVE_INFINITY },
];

export function formatDuration(ms: number, digits: Digits): string {
  return scaled(ms * 1000, DURATIONS, digits);
}

export function formatBytes(bytes: number, digits: Digits): string {
  return scaled(bytes, SIZES, digits);
}

const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 4 });
const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** `1,234,567`: every digit. */
export function formatExact(count: number): string {
  return grouped.format(count);
}

/** `1 request`, `1,234 requests`. */
export function formatCounted(count: number, noun: string): string {
  return `${formatExact(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Every digit, but from a hundred million on `123.5M`, so that a table's column has a greatest width. */
export function formatCount(count: number): string {
  return count < 1e8 ? formatExact(count) : compact.format(count);
}

/** A rate: below ten the first decimal says something. */
export function formatRate(perMinute: number): string {
  return perMinute > 0 && perMinute < 9.95 ? perMinute.toFixed(1) : formatCount(perMinute);
}

/** A share in percent, `12.3`: 100 only if the share is 1, 0 only if it is 0. */
export function formatPercent(share: number, decimals: 1 | 2 = 1): string {
  if (share <= 0) return "0";
  if (share >= 1) return "100";
  const step = 10 ** -decimals;
  return share * 100 < step ? `<${step}` : Math.min(share * 100, 100 - step).toFixed(decimals);
}

function scaled(value: number, units: readonly Unit[], digits: Digits): string {
  if (Math.round(value) < units[0]!.per) return `${Math.round(value)}${units[0]!.name}`;
  let inUnit = value;
  for (const { name, per } of units) {
    const rounded = inUnit < 10 ** digits ? Number(inUnit.toPrecision(digits)) : Math.round(inUnit);
    if (rounded < per) return `${rounded.toFixed(decimalsOf(rounded, digits))}${name}`;
    inUnit /= per;
  }
  return `${inUnit}`;
}

function decimalsOf(rounded: number, digits: Digits): number {
  if (rounded < 10) return digits - 1;
  return rounded < 100 ? digits - 2 : 0;
}
