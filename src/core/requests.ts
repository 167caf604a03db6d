/** The requests of one connection, as its parser finds them. */
import type { CurrentCall, ExchangeContext } from "./connection-context.ts";
import { Direction, type DirectionHandler } from "./direction.ts";
import { borrowExchange, type Exchange } from "./exchange.ts";
import type { Head, HeadVerdict, LostReason } from "./http1/handler.ts";
import { findHeader } from "./http1/headers.ts";
import type { Pairing } from "./pairing.ts";
import { methodText } from "./target.ts";

export class Requests implements DirectionHandler {
  readonly direction: Direction;
  private readonly pairing: Pairing;
  private readonly call: CurrentCall;
  private readonly context: ExchangeContext;

  constructor(pairing: Pairing, call: CurrentCall, context: ExchangeContext, isFresh: boolean) {
    this.pairing = pairing;
    this.call = call;
    this.context = context;
    this.direction = new Direction("request", this, isFresh);
    pairing.requests = this.direction;
  }

  onHead(head: Head): HeadVerdict {
    const { direction, context, call } = this;
    const { bytes, start, end } = head;
    const exchange = borrowExchange();
    exchange.method = methodText(bytes, start, head.methodEnd);
    exchange.target = context.targets.lookup(bytes, head.targetStart, head.targetEnd);
    if (context.wantsHost) exchange.host = findHeader(bytes, start, end, "host") ?? "";
    exchange.pid = call.pid;
    exchange.requestStartNs = head.startNs;
    exchange.requestHeaderBytes = end - start;
    exchange.expectsContinue = head.expectsContinue;
    direction.messageSeen(head);
    exchange.position = direction.messagePosition;
    exchange.streamPosition = direction.nextMessageAt;
    exchange.answerPosition = direction.messageOtherPosition;
    direction.beginCalls(exchange.requestCalls, head, call);
    exchange.request.begin(context.maxRequestBytes);
    exchange.request.append(bytes, start, end, bytes === call.bytes);
    this.pairing.begin(exchange);
    return "framed";
  }

  onBody(bytes: Uint8Array, start: number, end: number): void {
    this.pairing.openRequest?.request.append(bytes, start, end, true);
  }

  onEnd(headerBytes: number, bodyBytes: number): void {
    const { direction } = this;
    direction.messageStarts();
    direction.nextMessageAt = (direction.nextMessageAt + headerBytes + bodyBytes) | 0;
    const exchange = this.pairing.openRequest;
    this.pairing.openRequest = null;
    if (exchange === null) return;
    exchange.requestEndNs = direction.parser.endNs;
    this.context.unsettled.push(exchange.request);
    this.pairing.requestEnded(exchange, headerBytes + bodyBytes);
  }

  onLost(why: LostReason, isMessageOpen: boolean): void {
    const exchange = this.pairing.openRequest;
    const cutBytes = this.direction.takeCutBytes();
    const isTruncated = why === "truncated" && isMessageOpen;
    if (!isTruncated) this.pairing.streamLost(true, why, cutBytes);
    // The connection may end before the request does, with or without an answer; a request with a hole has no size.
    if (isMessageOpen && exchange !== null) this.cut(exchange, cutBytes, !isTruncated);
  }

  onSkip(): void {
    this.pairing.openRequest?.request.cut();
  }

  /** Calls came in another order than their bytes: no message can be trusted. */
  outOfOrder(): void {
    this.direction.parser.resync();
    this.onLost("gap", this.pairing.openRequest !== null);
  }

  /** The connection leaves HTTP, whatever of a request is under way. */
  leaveHttp(): void {
    const { parser } = this.direction;
    const { openRequest } = this.pairing;
    if (openRequest !== null) this.cut(openRequest, parser.openBytes, false);
    parser.leaveHttp();
  }

  private cut(exchange: Exchange, bytes: number, isBroken: boolean): void {
    this.pairing.openRequest = null;
    exchange.isBroken = isBroken;
    this.pairing.requestEnded(exchange, bytes);
  }
}
