/**
 * The exchanges of one connection, from the request's head to the response's last byte: which of them are open, what
 * becomes of those that are complete, cut or in doubt. Requests and Responses fill them in.
 */
import type { ExchangeContext } from "./connection-context.ts";
import type { Direction } from "./direction.ts";
import { type Exchange, returnExchange } from "./exchange.ts";
import type { LostReason } from "./http1/handler.ts";
import { Matcher } from "./match.ts";

export interface PairingEvents {
  /** A request was seen whole or in part: it waits for its response. */
  onRequest(exchange: Exchange): void;
  /** `exchange` is complete; it is only valid during the call. */
  onExchange(exchange: Exchange): void;
  /** `exchange` will not be completed. */
  onAbandoned(exchange: Exchange): void;
  /** There are pairs that are not sure yet. */
  onTrial(): void;
}

/** The FIN takes a place in the stream. */
const FIN_BYTES = 1;

export class Pairing {
  /** Set by their owners before anything is read. */
  requests!: Direction;
  responses!: Direction;
  readonly matcher: Matcher;
  /** Its request has begun and not ended; it may already have its response. */
  openRequest: Exchange | null = null;
  openResponse: Exchange | null = null;
  hasMessages = false;
  /** The first message on it broke the grammar. */
  isNotHttp = false;
  private readonly context: ExchangeContext;
  private readonly events: PairingEvents;

  constructor(isFresh: boolean, context: ExchangeContext, events: PairingEvents) {
    this.context = context;
    this.events = events;
    this.matcher = new Matcher(isFresh ? null : context.watchedSinceNs, (exchange) => this.abandon(exchange), {
      onConfirmed: (exchange) => this.confirmed(exchange),
      onRefuted: (exchange) => this.refuted(exchange),
    });
  }

  /** A request's head is whole. */
  begin(exchange: Exchange): void {
    this.hasMessages = true;
    this.context.counters.requests++;
    this.openRequest = exchange;
    if (this.isSurplus(exchange.answerPosition, exchange.position)) this.matcher.trial.refute();
    this.matcher.push(exchange);
    this.events.onRequest(exchange);
  }

  requestEnded(exchange: Exchange, bytes: number): void {
    exchange.requestBytes = bytes;
    exchange.isRequestEnded = true;
    if (exchange.isResponseEnded) this.complete(exchange);
  }

  responseEnded(exchange: Exchange, bytes: number): void {
    this.matcher.paired(this.responses.expected!);
    exchange.responseBytes = bytes;
    exchange.isResponseEnded = true;
    if (exchange.isRequestEnded) this.complete(exchange);
  }

  /** Responses up to `responseAt` went by unseen although all requests seen have theirs, and none was missed. */
  isSurplus(responseAt: number, requestAt: number): boolean {
    const { matcher, requests, responses } = this;
    if (!matcher.trial.isHolding || matcher.size > 0 || this.openResponse !== null || matcher.isAfterMiss) return false;
    const isAllAsked = requests.expected === undefined || ((requestAt - requests.expected) | 0) <= FIN_BYTES;
    return isAllAsked && responses.expected !== undefined && ((responseAt - responses.expected) | 0) > FIN_BYTES;
  }

  /** The requests, or the responses, can't be followed from here; `cutBytes` were of a message that is open. */
  streamLost(isRequest: boolean, why: LostReason, cutBytes: number): void {
    if (isRequest) this.matcher.requestsMissed();
    else this.matcher.responsesMissed();
    // A response may be broken only because it was read as the answer to another's request.
    if (why !== "gap" && !isRequest) this.matcher.trial.refute();
    if (this.hasMessages || why === "gap") {
      this.context.counters.unparsedMessages++;
      this.context.counters.unaccountedBytes += cutBytes;
    } else if (why === "invalid") {
      this.isNotHttp = true;
    }
  }

  abandon(exchange: Exchange): void {
    if (exchange.isOnTrial) this.matcher.trial.forget(exchange);
    this.context.counters.unansweredRequests++;
    if (exchange === this.openRequest) this.openRequest = null;
    this.events.onAbandoned(exchange);
    returnExchange(exchange);
  }

  /** Nothing more will come. */
  close(): void {
    // A request without response may be the last of a pipeline, and the others have each other's.
    if (this.matcher.size > 0) this.matcher.trial.refute();
    this.matcher.conclude();
    if (this.openResponse !== null) this.abandon(this.openResponse);
    this.openResponse = null;
    this.matcher.clear();
    this.openRequest = null;
  }

  private complete(exchange: Exchange): void {
    if (exchange.isBroken) {
      this.abandon(exchange);
    } else if (exchange.isOnTrial) {
      this.context.unsettled.push(exchange.response);
      this.events.onTrial();
    } else {
      this.context.counters.exchanges++;
      this.events.onExchange(exchange);
      returnExchange(exchange);
    }
  }

  private confirmed(exchange: Exchange): void {
    if (exchange.isRequestEnded && exchange.isResponseEnded) this.complete(exchange);
  }

  private refuted(exchange: Exchange): void {
    exchange.isBroken = true;
    if (!exchange.isRequestEnded || !exchange.isResponseEnded) return;
    this.context.counters.orphanResponses++;
    this.abandon(exchange);
  }
}
