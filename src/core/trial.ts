/**
 * Pairs that rest on one observation: after something was missed, or on a connection joined in mid-stream, a response
 * began exactly where its request expected it. A client that waits for each answer makes that so each time; one that
 * pipelines makes it so by chance, and then each response goes to a later request than its own. So such pairs are held
 * until so many more exchanges went in turns (or the connection falls idle), and dropped at the first sign of
 * pipelining: a wrong pair is worse than none.
 */
import type { Exchange } from "./exchange.ts";

/** Exchanges in turns that must follow; by chance, each of them is about as likely as not. */
const TURNS = 4;

export interface Verdict {
  /** The pair is right as far as can be known. */
  onConfirmed(exchange: Exchange): void;
  /** It may be wrong. */
  onRefuted(exchange: Exchange): void;
}

export class Trial {
  private held: Exchange[] = [];
  private turnsLeft = 0;
  private readonly verdict: Verdict;

  constructor(verdict: Verdict) {
    this.verdict = verdict;
  }

  /** Pairs made now rest on what is to come. */
  get isOn(): boolean {
    return this.turnsLeft > 0;
  }

  get isHolding(): boolean {
    return this.held.length > 0;
  }

  /** A pair by position alone: those after it by counting rest on it. */
  begin(exchange: Exchange): void {
    this.turnsLeft = TURNS;
    this.hold(exchange);
  }

  /** Another exchange went in turns. */
  turn(exchange: Exchange): void {
    this.turnsLeft--;
    this.hold(exchange);
    if (this.turnsLeft === 0) this.confirm();
  }

  /** Nothing speaks against what is held. */
  confirm(): void {
    while (this.held.length > 0) this.confirmOldest();
  }

  refute(): void {
    this.turnsLeft = 0;
    const { held } = this;
    this.held = [];
    for (const exchange of held) {
      exchange.isOnTrial = false;
      this.verdict.onRefuted(exchange);
    }
  }

  /** It will not be completed. */
  forget(exchange: Exchange): void {
    exchange.isOnTrial = false;
    this.held = this.held.filter((other) => other !== exchange);
  }

  /** After a gap a trial begins again, but what came since speaks for the client all the same. */
  private hold(exchange: Exchange): void {
    exchange.isOnTrial = true;
    this.held.push(exchange);
    if (this.held.length > TURNS + 1) this.confirmOldest();
  }

  private confirmOldest(): void {
    const exchange = this.held.shift()!;
    exchange.isOnTrial = false;
    this.verdict.onConfirmed(exchange);
  }
}
