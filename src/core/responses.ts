/** The responses of one connection, as its parser finds them, each given to its request. */
import type { CurrentCall, ExchangeContext } from "./connection-context.ts";
import { Direction, type DirectionHandler } from "./direction.ts";
import type { Exchange } from "./exchange.ts";
import { looksLike } from "./http1/detect.ts";
import type { Head, HeadVerdict, LostReason } from "./http1/handler.ts";
import type { Pairing } from "./pairing.ts";
import type { Requests } from "./requests.ts";

export class Responses implements DirectionHandler {
  readonly direction: Direction;
  private readonly pairing: Pairing;
  private readonly requests: Requests;
  private readonly call: CurrentCall;
  private readonly context: ExchangeContext;
  /** It answers no request seen: where its body ends is not sure (it may answer HEAD). */
  private isOrphanOpen = false;
  private isInterim = false;

  constructor(pairing: Pairing, requests: Requests, call: CurrentCall, context: ExchangeContext, isFresh: boolean) {
    this.pairing = pairing;
    this.requests = requests;
    this.call = call;
    this.context = context;
    this.direction = new Direction("response", this, isFresh);
    pairing.responses = this.direction;
  }

  onHead(head: Head): HeadVerdict {
    const { direction, pairing } = this;
    pairing.hasMessages = true;
    direction.messageSeen(head);
    // RFC 9110, 15.2: interim responses precede the one that answers. 101 is final: the connection changes hands.
    this.isInterim = head.status < 200 && head.status !== 101;
    if (this.isInterim) return "no-body";
    this.context.counters.responses++;
    const exchange = pairing.matcher.take(direction.messagePosition, direction.messageOtherPosition, head);
    if (exchange === undefined) return this.orphan(head);
    this.begin(exchange, head);
    const isTunnel = head.status === 101 || (exchange.method === "CONNECT" && head.status >= 200 && head.status < 300);
    if (isTunnel) return this.leaveHttp();
    if (exchange === pairing.openRequest && exchange.expectsContinue) this.requests.direction.parser.bodyIsOptional();
    return exchange.method === "HEAD" ? "no-body" : "framed";
  }

  onBody(bytes: Uint8Array, start: number, end: number): void {
    const { matcher } = this.pairing;
    // Read as the answer to another's request, one to HEAD seems to have a body: the response that comes next.
    if (matcher.trial.isHolding && looksLike(bytes, start, end) === "response") matcher.mistrust();
    this.pairing.openResponse?.response.append(bytes, start, end, true);
  }

  onEnd(headerBytes: number, bodyBytes: number): void {
    const { direction, pairing } = this;
    const exchange = pairing.openResponse;
    if (this.isInterim) this.passInterim(headerBytes + bodyBytes);
    direction.messageStarts();
    this.isInterim = false;
    this.isOrphanOpen = false;
    pairing.openResponse = null;
    if (exchange === null) return;
    if (direction.isMissing) this.endIsMissing(exchange, headerBytes + bodyBytes);
    exchange.responseEndNs = direction.parser.endNs;
    pairing.responseEnded(exchange, headerBytes + bodyBytes);
  }

  onLost(why: LostReason, isMessageOpen: boolean): void {
    const { direction, pairing } = this;
    const exchange = pairing.openResponse;
    const cutBytes = direction.takeCutBytes();
    const isTruncated = why === "truncated" && isMessageOpen;
    if (!isTruncated) pairing.streamLost(false, why, cutBytes);
    pairing.openResponse = null;
    this.isOrphanOpen = false;
    if (!isMessageOpen || exchange === null) return;
    // Cut by the end of the connection, the response is what was seen of it; cut by a gap, nobody knows.
    if (isTruncated && direction.isMissing) this.endIsMissing(exchange, cutBytes);
    if (!isTruncated) pairing.abandon(exchange);
    else {
      exchange.responseEndNs = this.call.timeNs;
      pairing.responseEnded(exchange, cutBytes);
    }
  }

  onSkip(): void {
    this.pairing.openResponse?.response.cut();
  }

  /** Calls came in another order than their bytes: no message can be trusted. */
  outOfOrder(): void {
    this.direction.parser.resync();
    this.onLost("gap", this.pairing.openResponse !== null);
  }

  /** A call has been read. */
  callRead(): void {
    if (this.isOrphanOpen) this.direction.parser.bodyIsOptional();
  }

  private begin(exchange: Exchange, head: Head): void {
    const { bytes, start, end } = head;
    exchange.status = head.status;
    exchange.responseStartNs = head.startNs;
    // A client's write may return after the response was read; it began before that.
    if (exchange.requestStartNs > head.startNs) exchange.requestStartNs = head.startNs;
    exchange.responseHeaderBytes = end - start;
    this.direction.beginCalls(exchange.responseCalls, head, this.call);
    exchange.response.begin(this.context.maxResponseBytes);
    exchange.response.append(bytes, start, end, bytes === this.call.bytes);
    this.pairing.openResponse = exchange;
  }

  private orphan(head: Head): HeadVerdict {
    const { matcher } = this.pairing;
    this.context.counters.orphanResponses++;
    this.isOrphanOpen = true;
    // One more than there were requests: then the others may have been given to wrong ones.
    const isOneTooMany = this.direction.messageOtherPosition === this.requests.direction.expected;
    if (isOneTooMany && !matcher.isAfterMiss) matcher.trial.refute();
    return head.status === 101 ? this.leaveHttp() : "framed";
  }

  private leaveHttp(): HeadVerdict {
    this.requests.leaveHttp();
    this.pairing.matcher.conclude();
    return "tunnel";
  }

  /** The final response begins after the interim one. */
  private passInterim(bytes: number): void {
    const { oldest } = this.pairing.matcher;
    if (oldest !== null && oldest.answerPosition === this.direction.messagePosition) {
      oldest.answerPosition = (oldest.answerPosition + bytes) | 0;
    }
  }

  /** The last byte went by in a gap, nobody knows when: no exchange is better than one with a wrong duration. */
  private endIsMissing(exchange: Exchange, bytes: number): void {
    exchange.isBroken = true;
    this.context.counters.unparsedMessages++;
    this.context.counters.unaccountedBytes += bytes;
  }
}
