/**
 * One connection of a profiled process: two directions, and the exchanges that run over them. Which direction
 * carries the requests, and so which side the process is, shows in the first message seen.
 */

import type { Joint } from "./both-sides.ts";
import { CallLog } from "./calls.ts";
import type { CaptureCounters } from "./capture.ts";
import type { ConnectionInfo } from "./connection-info.ts";
import { FLAG_ABSOLUTE, FLAG_END, FLAG_WRITE, type RecordCursor } from "./decode.ts";
import { Direction } from "./direction.ts";
import type { Edge } from "./edge.ts";
import { borrowExchange, type Exchange, type RawMessage, returnExchange } from "./exchange.ts";
import type { Head, HeadVerdict, LostReason, MessageHandler } from "./http1/handler.ts";
import { findHeader } from "./http1/headers.ts";
import { Matcher } from "./match.ts";
import type { ProcessInfo, Side } from "./profile.ts";
import { methodText, type TargetTable } from "./target.ts";
import type { Traffic } from "./traffic.ts";

/** What connections share: where their findings go, and what is to be kept. */
export interface ConnectionContext {
  readonly counters: CaptureCounters;
  readonly targets: TargetTable;
  readonly maxRequestBytes: number;
  readonly maxResponseBytes: number;
  readonly wantsHost: boolean;
  /** Messages that may point at the records' memory, to be settled before it goes. */
  readonly unsettled: RawMessage[];
  /** Connections with pairs that are not sure yet. */
  readonly onTrial: Set<Connection>;
  /** A request was seen whole or in part: it waits for its response. */
  onRequest(connection: Connection, exchange: Exchange): void;
  /** `exchange` is complete; it is only valid during the call. */
  onExchange(connection: Connection, exchange: Exchange): void;
  /** `exchange` will not be completed. */
  onAbandoned(connection: Connection, exchange: Exchange): void;
}

/** By then the responses that were under way have come. */
const QUIET_NS = 1e9;
/** The FIN takes a place in the stream. */
const FIN_BYTES = 1;
/** What is known of it before its first message. */
export interface Known {
  readonly peer: ProcessInfo | null;
  readonly traffic: Traffic;
  readonly joint: Joint | null;
}

export class Connection {
  info: ConnectionInfo;
  readonly side: Side;
  /** The process at the other end, once it is known. */
  peer: ProcessInfo | null;
  /** Where its exchanges count; the aggregate's memory. */
  edge: Edge | null = null;
  /** The process of the last call. */
  pid = 0;
  /** When the last call returned. */
  lastNs = 0;
  hasMessages = false;
  /** The first message on it broke the grammar. */
  isNotHttp = false;
  readonly traffic: Traffic;
  /** Shared with the other end, if it is profiled too. */
  joint: Joint | null;
  private readonly context: ConnectionContext;
  private readonly requests: Direction;
  private readonly responses: Direction;
  private readonly matcher: Matcher;
  /** Its request has begun and not ended; it may already have its response. */
  private openRequest: Exchange | null = null;
  private openResponse: Exchange | null = null;
  /** A response that answers no request seen: where its body ends is not sure (it may answer HEAD). */
  private isOrphanOpen = false;
  private isInterim = false;
  private record!: RecordCursor;
  /** The memory of the record that is being read; a head may also lie in the parser's own. */
  private recordBytes: Uint8Array | null = null;
  private tunnelBytesSeen = 0;

  constructor(info: ConnectionInfo, side: Side, known: Known, context: ConnectionContext) {
    this.peer = known.peer;
    this.traffic = known.traffic;
    this.joint = known.joint;
    this.info = info;
    this.side = side;
    this.context = context;
    const { isFresh } = info;
    this.requests = new Direction("request", this.requestHandler(), isFresh, () => this.openRequest?.request.cut());
    this.responses = new Direction("response", this.responseHandler(), isFresh, () =>
      this.openResponse?.response.cut(),
    );
    this.matcher = new Matcher(!isFresh, (exchange) => this.abandon(exchange), {
      onConfirmed: (exchange) => this.confirmed(exchange),
      onRefuted: (exchange) => this.refuted(exchange),
    });
  }

  /** Its exchanges count at another edge from now on. */
  setPeer(peer: ProcessInfo): void {
    this.peer = peer;
    this.edge = null;
  }

  /** Its exchanges from now on are between these ends. */
  learnEnds(info: ConnectionInfo): void {
    this.info = info;
    this.edge = null;
  }

  /** True if the record tells of responses to requests whose own record is still to come: hold it back until then. */
  isAhead(record: RecordCursor): boolean {
    if (this.side !== "client" || (record.flags & (FLAG_WRITE | FLAG_ABSOLUTE)) !== FLAG_ABSOLUTE) return false;
    const { expected } = this.requests;
    return expected !== undefined && ((record.otherPosition - expected) | 0) > 0;
  }

  receive(record: RecordCursor): void {
    const isRequest = ((record.flags & FLAG_WRITE) !== 0) === (this.side === "client");
    const direction = isRequest ? this.requests : this.responses;
    const other = isRequest ? this.responses : this.requests;
    const timeNs = record.timeNs;
    // Then what is missing at the beginning of the other direction shows, too.
    if (other.expected === undefined && this.info.isFresh) other.expected = record.otherPosition;
    this.lastNs = timeNs;
    this.pid = record.pid;
    this.record = record;
    this.recordBytes = record.bytes;
    if ((record.flags & FLAG_END) !== 0) direction.end(record.position, timeNs);
    else {
      if (direction.isBehind(record)) this.outOfOrder(isRequest);
      const calls = isRequest ? this.openRequest?.requestCalls : this.openResponse?.responseCalls;
      calls?.add(record);
      direction.receive(record, timeNs);
      if (calls === undefined && direction.parser.openBytes > 0) this.noteHeadCall(isRequest, direction);
    }
    if (!isRequest && this.isOrphanOpen) direction.parser.bodyIsOptional();
    this.openRequest?.request.settle();
    this.openResponse?.response.settle();
    if (direction.hasLosses) this.account();
  }

  /** The call brought part of a head: nobody knows yet of which exchange. */
  private noteHeadCall(isRequest: boolean, direction: Direction): void {
    if ((isRequest ? this.openRequest : this.openResponse) !== null) return;
    direction.headCalls ??= new CallLog();
    direction.headCalls.add(this.record);
  }

  private beginCalls(calls: CallLog, direction: Direction, head: Head): void {
    const isInRecord = head.bytes === this.recordBytes;
    calls.begin(isInRecord ? this.record.positionOf(head.start) : direction.messagePosition);
    if (direction.headCalls !== null) calls.addAll(direction.headCalls);
    calls.add(this.record);
  }

  /** How far the direction of this record need not be copied; undefined if there is nothing new to say of it. */
  passesUpTo(record: RecordCursor): number | undefined {
    const isRequest = ((record.flags & FLAG_WRITE) !== 0) === (this.side === "client");
    const { maxRequestBytes, maxResponseBytes } = this.context;
    return isRequest ? this.requests.passesUpTo(maxRequestBytes) : this.responses.passesUpTo(maxResponseBytes);
  }

  /** A direction ended: by `end`, what the process reads (`in`), what it writes (`out`), each up to a position. */
  ended(end: { isIn: boolean; isOut: boolean; inPosition: number; outPosition: number }, timeNs: number): void {
    const isServer = this.side === "server";
    const [request, response] = isServer ? [end.isIn, end.isOut] : [end.isOut, end.isIn];
    const [requestAt, responseAt] = isServer ? [end.inPosition, end.outPosition] : [end.outPosition, end.inPosition];
    if (response && this.isSurplus(responseAt, requestAt)) this.matcher.trial.refute();
    if (response) this.responses.end(responseAt, timeNs);
    if (request) this.requests.end(requestAt, timeNs);
    this.account();
  }

  /** The peer's FIN has arrived: what was sent before it may yet be read. */
  finArrived(): void {
    (this.side === "server" ? this.requests : this.responses).finArrived();
  }

  /** Pairs that are not sure yet count if it is quiet, and no response is awaited that may belong to one of them. */
  settleTrial(nowNs: number): void {
    const isQuiet = nowNs - this.lastNs >= QUIET_NS && this.matcher.size === 0 && this.openResponse === null;
    if (isQuiet) this.matcher.trial.confirm();
    if (!this.matcher.trial.isHolding) this.context.onTrial.delete(this);
  }

  /** Pairs that are not sure yet count: there will be no more to judge them by. */
  endTrial(): void {
    this.matcher.trial.confirm();
    this.context.onTrial.delete(this);
  }

  /** Too many wait: its requests are no longer among them. */
  letGo(): void {
    this.matcher.clear();
  }

  /** Nothing more will come. */
  close(timeNs: number): void {
    this.responses.end(undefined, timeNs);
    this.requests.end(undefined, timeNs);
    this.account();
    // A request without response may be the last of a pipeline, and the others have each other's.
    if (this.matcher.size > 0) this.matcher.trial.refute();
    this.endTrial();
    if (this.openResponse !== null) this.abandon(this.openResponse);
    this.openResponse = null;
    this.matcher.clear();
    this.openRequest = null;
  }

  private requestHandler(): MessageHandler {
    return {
      onHead: (head) => this.requestHead(head),
      onBody: (bytes, start, end) => this.openRequest?.request.append(bytes, start, end, true),
      onEnd: (headerBytes, bodyBytes, endNs) => this.requestEnd(headerBytes, bodyBytes, endNs),
      onLost: (why, isMessageOpen) => this.requestLost(why, isMessageOpen),
    };
  }

  private requestHead(head: Head): HeadVerdict {
    const { bytes, start, end } = head;
    const exchange = borrowExchange();
    exchange.method = methodText(bytes, start, head.methodEnd);
    exchange.target = this.context.targets.lookup(bytes, head.targetStart, head.targetEnd);
    if (this.context.wantsHost) exchange.host = findHeader(bytes, start, end, "host") ?? "";
    exchange.pid = this.pid;
    exchange.requestStartNs = head.startNs;
    exchange.requestHeaderBytes = end - start;
    exchange.expectsContinue = head.expectsContinue;
    this.requests.messageSeen(head.startNs);
    exchange.position = this.requests.messagePosition;
    exchange.streamPosition = this.requests.nextMessageAt;
    exchange.answerPosition = this.requests.messageOtherPosition;
    this.beginCalls(exchange.requestCalls, this.requests, head);
    exchange.request.begin(this.context.maxRequestBytes);
    exchange.request.append(bytes, start, end, bytes === this.recordBytes);
    this.hasMessages = true;
    this.context.counters.requests++;
    this.openRequest = exchange;
    if (this.isSurplus(exchange.answerPosition, exchange.position)) this.matcher.trial.refute();
    this.matcher.push(exchange, head.startNs);
    this.context.onRequest(this, exchange);
    return "framed";
  }

  private requestEnd(headerBytes: number, bodyBytes: number, endNs: number): void {
    this.requests.messageStarts();
    this.requests.nextMessageAt += headerBytes + bodyBytes;
    const exchange = this.openRequest;
    this.openRequest = null;
    if (exchange === null) return;
    exchange.requestBytes = headerBytes + bodyBytes;
    exchange.requestEndNs = endNs;
    exchange.isRequestEnded = true;
    this.context.unsettled.push(exchange.request);
    if (exchange.isResponseEnded) this.complete(exchange);
  }

  private requestLost(why: LostReason, isMessageOpen: boolean): void {
    const exchange = this.openRequest;
    const cutBytes = this.requests.takeCutBytes();
    const isTruncated = why === "truncated" && isMessageOpen;
    if (!isTruncated) this.streamLost(true, why, cutBytes);
    // The connection may end before the request does, with or without an answer; a request with a hole has no size.
    if (isMessageOpen && exchange !== null) this.cutRequest(exchange, cutBytes, !isTruncated);
  }

  private cutRequest(exchange: Exchange, bytes: number, isBroken: boolean): void {
    this.openRequest = null;
    exchange.isBroken = isBroken;
    exchange.requestBytes = bytes;
    exchange.isRequestEnded = true;
    if (exchange.isResponseEnded) this.complete(exchange);
  }

  private responseHandler(): MessageHandler {
    return {
      onHead: (head) => this.responseHead(head),
      onBody: (bytes, start, end) => this.openResponse?.response.append(bytes, start, end, true),
      onEnd: (headerBytes, bodyBytes, endNs) => this.responseEnd(headerBytes, bodyBytes, endNs),
      onLost: (why, isMessageOpen) => this.responseLost(why, isMessageOpen),
    };
  }

  private responseHead(head: Head): HeadVerdict {
    this.hasMessages = true;
    this.responses.messageSeen(head.startNs);
    // RFC 9110, 15.2: interim responses precede the one that answers. 101 is final: the connection changes hands.
    this.isInterim = head.status < 200 && head.status !== 101;
    if (this.isInterim) return "no-body";
    this.context.counters.responses++;
    const { messagePosition, messageOtherPosition } = this.responses;
    const exchange = this.matcher.take(messagePosition, messageOtherPosition, head.startNs);
    if (exchange === undefined) {
      this.context.counters.orphanResponses++;
      this.isOrphanOpen = true;
      // One more than there were requests: then the others may have been given to wrong ones.
      if (messageOtherPosition === this.requests.expected && !this.matcher.isAfterMiss) this.matcher.trial.refute();
      return head.status === 101 ? this.leaveHttp() : "framed";
    }
    exchange.status = head.status;
    exchange.responseStartNs = head.startNs;
    // A client's write may return after the response was read; it began before that.
    if (exchange.requestStartNs > head.startNs) exchange.requestStartNs = head.startNs;
    exchange.responseHeaderBytes = head.end - head.start;
    this.beginCalls(exchange.responseCalls, this.responses, head);
    exchange.response.begin(this.context.maxResponseBytes);
    exchange.response.append(head.bytes, head.start, head.end, head.bytes === this.recordBytes);
    this.openResponse = exchange;
    const isTunnel = head.status === 101 || (exchange.method === "CONNECT" && head.status >= 200 && head.status < 300);
    if (isTunnel) return this.leaveHttp();
    if (exchange === this.openRequest && exchange.expectsContinue) this.requests.parser.bodyIsOptional();
    return exchange.method === "HEAD" ? "no-body" : "framed";
  }

  private leaveHttp(): HeadVerdict {
    const { parser } = this.requests;
    if (this.openRequest !== null) this.cutRequest(this.openRequest, parser.openBytes, false);
    parser.leaveHttp();
    this.matcher.trial.confirm();
    return "tunnel";
  }

  private responseEnd(headerBytes: number, bodyBytes: number, endNs: number): void {
    const exchange = this.openResponse;
    if (this.isInterim) this.passInterim(headerBytes + bodyBytes);
    this.responses.messageStarts();
    this.isInterim = false;
    this.isOrphanOpen = false;
    this.openResponse = null;
    if (exchange === null) return;
    if (this.responses.isMissing) this.endIsMissing(exchange, headerBytes + bodyBytes);
    this.endResponse(exchange, headerBytes + bodyBytes, endNs);
  }

  /** The last byte went by in a gap, nobody knows when: no exchange is better than one with a wrong duration. */
  private endIsMissing(exchange: Exchange, bytes: number): void {
    exchange.isBroken = true;
    this.context.counters.unparsedMessages++;
    this.context.counters.unaccountedBytes += bytes;
  }

  private endResponse(exchange: Exchange, bytes: number, endNs: number): void {
    this.matcher.paired(this.responses.expected!);
    exchange.responseBytes = bytes;
    exchange.responseEndNs = endNs;
    exchange.isResponseEnded = true;
    if (exchange.isRequestEnded) this.complete(exchange);
  }

  /** Responses up to `responseAt` went by unseen although all requests seen have theirs, and none was missed. */
  private isSurplus(responseAt: number, requestAt: number): boolean {
    const { matcher, requests, responses } = this;
    if (!matcher.trial.isHolding || matcher.size > 0 || this.openResponse !== null || matcher.isAfterMiss) return false;
    const isAllAsked = requests.expected === undefined || ((requestAt - requests.expected) | 0) <= FIN_BYTES;
    return isAllAsked && responses.expected !== undefined && ((responseAt - responses.expected) | 0) > FIN_BYTES;
  }

  /** The final response begins after the interim one. */
  private passInterim(bytes: number): void {
    const { oldest } = this.matcher;
    if (oldest !== null && oldest.answerPosition === this.responses.messagePosition) {
      oldest.answerPosition = (oldest.answerPosition + bytes) >>> 0;
    }
  }

  private responseLost(why: LostReason, isMessageOpen: boolean): void {
    const exchange = this.openResponse;
    const cutBytes = this.responses.takeCutBytes();
    const isTruncated = why === "truncated" && isMessageOpen;
    if (!isTruncated) this.streamLost(false, why, cutBytes);
    this.openResponse = null;
    this.isOrphanOpen = false;
    if (!isMessageOpen || exchange === null) return;
    // Cut by the end of the connection, the response is what was seen of it; cut by a gap, nobody knows.
    if (isTruncated && this.responses.isMissing) this.endIsMissing(exchange, cutBytes);
    if (isTruncated) this.endResponse(exchange, cutBytes, this.lastNs);
    else this.abandon(exchange);
  }

  /** Calls came in another order than their bytes: no message in that direction can be trusted. */
  private outOfOrder(isRequest: boolean): void {
    (isRequest ? this.requests : this.responses).parser.resync();
    if (isRequest) this.requestLost("gap", this.openRequest !== null);
    else this.responseLost("gap", this.openResponse !== null);
  }

  private streamLost(isRequest: boolean, why: LostReason, cutBytes: number): void {
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

  /** Adds what the parsers could not give to a message to the counters. */
  private account(): void {
    const { counters } = this.context;
    const tunnelBytes = this.requests.parser.tunnelBytes + this.responses.parser.tunnelBytes;
    counters.unaccountedBytes += this.requests.takeLostBytes() + this.responses.takeLostBytes();
    counters.tunnelBytes += tunnelBytes - this.tunnelBytesSeen;
    this.tunnelBytesSeen = tunnelBytes;
  }

  private complete(exchange: Exchange): void {
    if (exchange.isBroken) {
      this.abandon(exchange);
    } else if (exchange.isOnTrial) {
      this.context.unsettled.push(exchange.response);
      this.context.onTrial.add(this);
    } else {
      this.context.counters.exchanges++;
      this.context.onExchange(this, exchange);
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

  private abandon(exchange: Exchange): void {
    if (exchange.isOnTrial) this.matcher.trial.forget(exchange);
    this.context.counters.unansweredRequests++;
    if (exchange === this.openRequest) this.openRequest = null;
    this.context.onAbandoned(this, exchange);
    returnExchange(exchange);
  }
}
