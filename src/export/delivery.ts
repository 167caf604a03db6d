/**
 * A bounded queue before a backend: what is put in costs the profile nothing but memory, and that is bounded. Batches
 * are sent one after the other; one that fails is sent again, after a wait that doubles, until the backend takes it or
 * there is no time left. What finds no room, and what is never taken, is counted.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Delivered, Trouble } from "./exporter.ts";

/** The backend will not take this, now or later: it is given up at once. */
export class RejectedError extends Error {}

export interface DeliveryOptions<T> {
  readonly what: string;
  /** Rejects if the batch was not taken. `signal` aborts when time is up. */
  readonly send: (batch: readonly T[], signal: AbortSignal) => Promise<void>;
  readonly onTrouble: Trouble;
  readonly limits?: Partial<DeliveryLimits>;
}

export interface DeliveryLimits {
  readonly items: number;
  readonly batchItems: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** One attempt. */
  readonly attemptMs: number;
  /** How long, at the end, a backend that takes nothing is waited for. */
  readonly graceMs: number;
}

const LIMITS: DeliveryLimits = {
  items: 10_000,
  batchItems: 100,
  firstWaitMs: 250,
  longestWaitMs: 8_000,
  attemptMs: 10_000,
  graceMs: 5_000,
};

export class Delivery<T> {
  private readonly options: DeliveryOptions<T>;
  private readonly limits: DeliveryLimits;
  private readonly queue: T[] = [];
  private sent = 0;
  private givenUp = 0;
  private why = "";
  private isFailing = false;
  private worker: Promise<void> | null = null;
  /** Aborted when the run has ended: nothing sleeps longer than it must. */
  private readonly ending = new AbortController();
  /** Aborted when time is up. */
  private readonly over = new AbortController();
  private lastSuccessMs = 0;

  constructor(options: DeliveryOptions<T>) {
    this.options = options;
    this.limits = { ...LIMITS, ...options.limits };
  }

  /** Nothing waits. */
  get isIdle(): boolean {
    return this.worker === null;
  }

  put(item: T): void {
    if (this.queue.length >= this.limits.items) {
      this.giveUp(1, "there was no room for more to wait");
      return;
    }
    this.queue.push(item);
    this.worker ??= this.work();
  }

  /** Sends the rest; gives up when nothing was taken for `graceMs`. */
  async end(): Promise<Delivered> {
    this.lastSuccessMs = performance.now();
    this.ending.abort();
    const { worker } = this;
    if (worker !== null) await Promise.race([worker, this.timeIsUp()]);
    this.over.abort();
    await this.worker;
    if (this.queue.length > 0) this.giveUp(this.queue.length, this.why);
    this.queue.length = 0;
    return { what: this.options.what, sent: this.sent, givenUp: this.givenUp, why: this.why };
  }

  private async timeIsUp(): Promise<void> {
    for (;;) {
      const leftMs = this.lastSuccessMs + this.limits.graceMs - performance.now();
      if (leftMs <= 0 || this.worker === null) return;
      await sleep(Math.min(leftMs, 100));
    }
  }

  private async work(): Promise<void> {
    await null; // what is put in now goes along
    let waitMs = this.limits.firstWaitMs;
    while (this.queue.length > 0 && !this.over.signal.aborted) {
      const batch = this.queue.slice(0, this.limits.batchItems);
      const error = await this.attempt(batch);
      if (error === null || error instanceof RejectedError) {
        this.queue.splice(0, batch.length);
        if (error === null) this.succeeded(batch.length);
        else this.giveUp(batch.length, error.message);
        waitMs = this.limits.firstWaitMs;
      } else {
        this.failed(error);
        await this.pause(waitMs);
        waitMs = Math.min(waitMs * 2, this.limits.longestWaitMs);
      }
    }
    this.worker = null;
  }

  private async attempt(batch: readonly T[]): Promise<Error | null> {
    // Not AbortSignal.any: in Node 20 each signal that it makes stays with its sources.
    const attempt = new AbortController();
    const abort = () => attempt.abort(new Error("no answer in time"));
    const timer = setTimeout(abort, this.limits.attemptMs);
    this.over.signal.addEventListener("abort", abort);
    try {
      await this.options.send(batch, attempt.signal);
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      clearTimeout(timer);
      this.over.signal.removeEventListener("abort", abort);
    }
  }

  private succeeded(count: number): void {
    this.sent += count;
    this.isFailing = false;
    this.lastSuccessMs = performance.now();
  }

  /** Said once for each time that it is out of reach. */
  private failed(error: Error): void {
    if (this.over.signal.aborted) return;
    this.why = error.message;
    if (!this.isFailing) this.options.onTrouble(`${error.message}; trying again`);
    this.isFailing = true;
  }

  private giveUp(count: number, why: string): void {
    if (this.givenUp === 0) this.options.onTrouble(`${this.options.what} are being lost: ${why}`);
    this.givenUp += count;
    this.why = why || "time was up";
  }

  /** At the end the first wait is cut short, and later ones are short. */
  private async pause(waitMs: number): Promise<void> {
    const isEnding = this.ending.signal.aborted;
    const signal = isEnding ? this.over.signal : this.ending.signal;
    await sleep(isEnding ? Math.min(waitMs, 500) : waitMs, undefined, { signal, ref: isEnding }).catch(() => {});
  }
}
