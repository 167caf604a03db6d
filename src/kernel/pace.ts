/**
 * How long to wait between two looks at the ring, by how much the last one found: the kernel side wakes nobody while
 * there is traffic.
 */

/** One turn reads at most this much, so that signals and timers are served under any load. */
export const TURN_BYTES = 4 << 20;
/** Between two looks at the ring. Each wakes a process that has gone cold, which costs as much as many events. */
const MIN_POLL_MS = 2;
const MAX_POLL_MS = 10;
/** The rate may grow as many times from one look to the next before the ring is full. */
const RESERVE = 32;
/** Empty polls after which it sleeps. */
const IDLE_AFTER = 5;

export class Pace {
  private readonly ringBytes: number;
  private emptyPolls = 0;
  private pollMs = MIN_POLL_MS;

  constructor(ringBytes: number) {
    this.ringBytes = ringBytes;
  }

  /** After a look that found `bytes`: how long to wait, 0 if there is more; null: until the next event. */
  after(bytes: number): number | null {
    this.emptyPolls = bytes === 0 ? this.emptyPolls + 1 : 0;
    if (bytes >= TURN_BYTES) return 0;
    if (this.emptyPolls > IDLE_AFTER) return null;
    this.pollMs = nextPollMs(this.pollMs, bytes, this.ringBytes);
    return this.pollMs;
  }
}

/** After `bytes` came in `pollMs`: as long as it takes for a small share of the ring at that rate. */
export function nextPollMs(pollMs: number, bytes: number, ringBytes: number): number {
  const wanted = (pollMs * ringBytes) / RESERVE / Math.max(bytes, 1);
  return Math.round(Math.min(MAX_POLL_MS, Math.max(MIN_POLL_MS, Math.min(wanted, 2 * pollMs))));
}
