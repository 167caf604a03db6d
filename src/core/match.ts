/**
 * Which request a response answers: the oldest that waits (RFC 9112, 9.3.2), as long as nothing was missed.
 *
 * Where something was missed, on a connection joined in mid-stream or after a gap, counting can pair wrongly, and a
 * wrong pair is worse than none. Then a request only gets the response that begins exactly where the responses had
 * come to when the request went through (`answerPosition`). That is proof if the client waits for each answer, which
 * the next exchanges must show (trial.ts); on a connection that has pipelined it is none, so there it must also have
 * been quiet before the request, or before those that wait ahead of it.
 *
 * Positions are modulo 2^32 and compared as signed differences.
 */
import type { Exchange } from "./exchange.ts";
import type { Head } from "./http1/handler.ts";
import { Trial, type Verdict } from "./trial.ts";

/** Pipelined requests that wait; beyond it they are let go, and later ones must be proved. */
const MAX_WAITING = 10_000;
const QUIET_NS = 1e9;

export class Matcher {
  /** The request that the next response answers if nothing was missed; the others hang on it by `next`. */
  oldest: Exchange | null = null;
  private newest: Exchange | null = null;
  /** Requests that wait. */
  size = 0;
  private epoch: number;
  private syncedEpoch = 0;
  private hasPipelined = false;
  /** Initialized here, since a field that was undefined once takes a double as an object. */
  private lastActivityNs = 0;
  /** Requests were missed, and no response has been paired since. */
  isAfterMiss = false;
  /** How far the responses had come when the last of them that was paired ended. */
  private pairedUpTo: number | undefined = undefined;
  /** How far the requests had come at the last response. */
  private answeredUpTo: number | undefined = undefined;
  private readonly drop: (exchange: Exchange) => void;
  readonly trial: Trial;

  /**
   * `joinedNs`: since when nothing that went over a connection was missed that was open before; null: it was not. `drop`
   * gets each request that can't be given its response; `verdict` what becomes of pairs that are not sure.
   */
  constructor(joinedNs: number | null, drop: (exchange: Exchange) => void, verdict: Verdict) {
    this.epoch = joinedNs === null ? 0 : 1;
    if (joinedNs !== null) this.lastActivityNs = joinedNs;
    this.drop = drop;
    this.trial = new Trial(verdict);
  }

  push(exchange: Exchange): void {
    const { newest } = this;
    // Two requests with no byte of a response between them. (With bytes between them, a response was missed.)
    const before = newest !== null ? newest.answerPosition : this.isAfterMiss ? this.pairedUpTo : undefined;
    if (before === exchange.answerPosition) this.pipelines();
    this.isAfterMiss = false;
    if (this.size >= MAX_WAITING) this.clear();
    exchange.isAfterQuiet = this.size === 0 && exchange.requestStartNs - this.lastActivityNs >= QUIET_NS;
    // A request that can't be proved is kept as long as it may take a response out of the queue.
    exchange.epoch = this.epoch;
    if (this.newest === null) this.oldest = exchange;
    else this.newest.next = exchange;
    this.newest = exchange;
    this.size++;
    this.lastActivityNs = exchange.requestStartNs;
  }

  /**
   * The request that the response answers whose first call began at `position`, when requests up to
   * `requestPosition` had gone through; undefined if it answers none that was seen.
   */
  take(position: number, requestPosition: number, { startNs }: Head): Exchange | undefined {
    this.lastActivityNs = startNs;
    // Two responses with no byte of a request between them.
    if (this.answeredUpTo === requestPosition) this.pipelines();
    this.answeredUpTo = requestPosition;
    for (let exchange = this.oldest; exchange !== null; exchange = this.oldest) {
      // A response to a request cannot precede it.
      if (((requestPosition - exchange.position) | 0) <= 0) {
        this.requestsMissed();
        return undefined;
      }
      if (exchange.epoch <= this.syncedEpoch) {
        if (!this.trial.isOn) return this.shift(exchange);
        if (position !== exchange.answerPosition) this.mistrust();
        else {
          this.trial.turn(exchange);
          return this.shift(exchange);
        }
      }
      const ahead = (position - exchange.answerPosition) | 0;
      if (ahead < 0) return undefined;
      if (ahead === 0 && (!this.hasPipelined || exchange.isAfterQuiet)) {
        this.syncedEpoch = exchange.epoch;
        if (!this.hasPipelined) this.trial.begin(exchange);
        return this.shift(exchange);
      }
      this.drop(this.shift(exchange));
    }
    this.epoch++; // its request was missed, or comes late: then it must not wait for the next response
    return undefined;
  }

  /** A response has ended that was paired; the responses had come to `position`. */
  paired(position: number): void {
    this.pairedUpTo = position;
    this.isAfterMiss = false;
  }

  /** Requests may have gone by unseen: those that come now must be proved. */
  requestsMissed(): void {
    this.epoch++;
    this.isAfterMiss = true;
  }

  /** Responses may have gone by unseen: so must those that wait. */
  responsesMissed(): void {
    this.epoch++;
    for (let exchange = this.oldest; exchange !== null; exchange = exchange.next) exchange.epoch = this.epoch;
  }

  /** What was paired without proof may be wrong: all must be proved again. */
  mistrust(): void {
    this.responsesMissed();
    this.trial.refute();
  }

  /** No more will be seen by which to judge pairs that are not sure; what was missed might have spoken against them. */
  conclude(): void {
    if (this.isAfterMiss) this.trial.refute();
    else this.trial.confirm();
  }

  private pipelines(): void {
    this.hasPipelined = true;
    if (this.trial.isOn) this.mistrust();
    else this.trial.refute();
  }

  /** Nothing that waits will be answered. */
  clear(): void {
    if (this.oldest !== null) this.epoch++;
    for (let exchange = this.oldest; exchange !== null; exchange = this.oldest) this.drop(this.shift(exchange));
  }

  /** `oldest` leaves the queue. */
  private shift(oldest: Exchange): Exchange {
    this.oldest = oldest.next;
    if (this.oldest === null) this.newest = null;
    oldest.next = null;
    this.size--;
    return oldest;
  }
}
