/**
 * A histogram of non-negative integers (nanoseconds, bytes) up to 2^53: count, sum, min and max are exact,
 * quantiles are within 1 % of the true value.
 *
 * Buckets are log-linear: 64 of equal width in each octave [2^e, 2^(e+1)), so a bucket that starts at `lower` is
 * `width` ≤ lower / 64 wide, and below 128 each integer has its own. A quantile is the middle of the bucket that the
 * nearest-rank value fell into, thus at most width / 2 ≤ lower / 128 ≤ value / 128 away from it: 0.78 %. Clamping it
 * to [min, max], where the true value lies, can only bring it nearer.
 *
 * Counters exist only for the octaves that were seen: 256 bytes each, so about 1 KB where the slowest took 16 times
 * as long as the fastest.
 */
import type { Distribution } from "./profile/figures.ts";

export class Histogram {
  #counts: Counters = NONE;
  /** The bucket of `#counts[0]`; a multiple of OCTAVE. */
  #firstBucket = 0;
  #count = 0;
  /** Exact up to 2^53: 104 days of nanoseconds, 9 petabytes; past it, as exact as a double. */
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  get count(): number {
    return this.#count;
  }

  /** Once per message and quantity: no allocation once the octave of `value` was seen. */
  record(value: number): void {
    const v = Math.max(value || 0, 0);
    this.#count++;
    this.#sum += v;
    if (v < this.#min) this.#min = v;
    if (v > this.#max) this.#max = v;
    const bucket = bucketOf(v);
    const slot = bucket - this.#firstBucket;
    const seen = this.#counts[slot];
    if (seen === undefined || seen === UINT32_MAX) this.#increase(bucket, 1);
    else this.#counts[slot] = seen + 1;
  }

  add(other: Histogram): void {
    const counts = other.#counts;
    for (let slot = 0; slot < counts.length; slot++) {
      const count = counts[slot]!;
      if (count > 0) this.#increase(other.#firstBucket + slot, count);
    }
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  /** Keeps the counters' memory: the next window most likely sees the same octaves. */
  reset(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#sum = 0;
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = Number.NEGATIVE_INFINITY;
  }

  /** In units of `unit` recorded ones: 1e6 turns nanoseconds into milliseconds. */
  distribution(unit: number, withBuckets: boolean): Distribution {
    const isEmpty = this.#count === 0;
    const [p50, p75, p90, p95, p99] = this.#quantiles();
    const distribution = {
      count: this.#count,
      sum: this.#sum / unit,
      min: isEmpty ? 0 : this.#min / unit,
      max: isEmpty ? 0 : this.#max / unit,
      mean: isEmpty ? 0 : this.#sum / this.#count / unit,
      p50: p50 / unit,
      p75: p75 / unit,
      p90: p90 / unit,
      p95: p95 / unit,
      p99: p99 / unit,
    };
    return withBuckets ? { ...distribution, buckets: this.#buckets(unit) } : distribution;
  }

  #quantiles(): Quantiles {
    const quantiles: Quantiles = [0, 0, 0, 0, 0];
    let slot = -1;
    let cumulated = 0;
    for (const [i, percent] of PERCENTS.entries()) {
      // Nearest rank. Percent × count is exact, so that 95 % of 100 is the 95th and not, by 0.95's rounding, the 96th.
      const rank = Math.ceil((percent * this.#count) / 100);
      while (cumulated < rank) cumulated += this.#counts[++slot]!;
      if (rank > 0) quantiles[i] = Math.min(this.#max, Math.max(this.#min, middleOf(this.#firstBucket + slot)));
    }
    return quantiles;
  }

  #buckets(unit: number): (readonly [upperBound: number, count: number])[] {
    const buckets: (readonly [number, number])[] = [];
    for (let slot = 0; slot < this.#counts.length; slot++) {
      const count = this.#counts[slot]!;
      if (count > 0) buckets.push([upperOf(this.#firstBucket + slot) / unit, count]);
    }
    return buckets;
  }

  /** The slow path of record(): makes room for the bucket, and for counts past 32 bits. */
  #increase(bucket: number, by: number): void {
    this.#cover(bucket);
    const slot = bucket - this.#firstBucket;
    const count = this.#counts[slot]! + by;
    // 100,000 exchanges a second fill 32 bits of one bucket in 12 hours; doubles take it from there.
    if (count > UINT32_MAX && this.#counts instanceof Uint32Array) this.#counts = Float64Array.from(this.#counts);
    this.#counts[slot] = count;
  }

  #cover(bucket: number): void {
    const octave = bucket - (bucket % OCTAVE);
    const isFirst = this.#counts.length === 0;
    const from = isFirst ? octave : Math.min(octave, this.#firstBucket);
    const to = Math.max(octave + OCTAVE, isFirst ? 0 : this.#firstBucket + this.#counts.length);
    if (to - from === this.#counts.length) return;
    const counts = this.#counts instanceof Uint32Array ? new Uint32Array(to - from) : new Float64Array(to - from);
    counts.set(this.#counts, isFirst ? 0 : this.#firstBucket - from);
    this.#counts = counts;
    this.#firstBucket = from;
  }
}

type Counters = Uint32Array | Float64Array;
type Quantiles = [number, number, number, number, number];

const PERCENTS = [50, 75, 90, 95, 99] as const;
const OCTAVE = 64;
const UINT32_MAX = 0xffffffff;
const NONE = new Uint32Array(0);

function bucketOf(value: number): number {
  if (value < 2 ** 31) return bucketOfInt32(value | 0);
  // The bit operations of JavaScript end at 32 bits; a value 2^23 times smaller lies 23 octaves lower, same place.
  return bucketOfInt32((Math.min(value, 2 ** 53) / 2 ** 23) | 0) + 23 * OCTAVE;
}

function bucketOfInt32(value: number): number {
  if (value < 2 * OCTAVE) return value;
  const shift = 25 - Math.clz32(value);
  return shift * OCTAVE + (value >> shift);
}

/** How far the values of a bucket are shifted; 0 where each integer has its own. */
function shiftOf(bucket: number): number {
  return Math.max(0, Math.floor(bucket / OCTAVE) - 1);
}

function middleOf(bucket: number): number {
  return upperOf(bucket) - (2 ** shiftOf(bucket) - 1) / 2;
}

/** The greatest integer of the bucket. */
function upperOf(bucket: number): number {
  const shift = shiftOf(bucket);
  return (bucket - shift * OCTAVE + 1) * 2 ** shift - 1;
}
