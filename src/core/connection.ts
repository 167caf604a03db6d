/**
 * One connection of a profiled process: two directions, and the exchanges that run over them. Which direction
 * carries the requests, and so which side the process is, shows in the first message seen.
 */

import type { Joint } from "./both-sides.ts";
import { CurrentCall, type ExchangeContext } from "./connection-context.ts";
import type { ConnectionInfo } from "./connection-info.ts";
import type { RecordCursor } from "./decode.ts";
import type { Edge } from "./edge.ts";
import type { Exchange } from "./exchange.ts";
import { Pairing, type PairingEvents } from "./pairing.ts";
import type { ProcessInfo, Side } from "./profile/parties.ts";
import { FLAG_ABSOLUTE, FLAG_END, FLAG_OVERTAKES, FLAG_WRITE } from "./record-layout.ts";
import { Requests } from "./requests.ts";
import { Responses } from "./responses.ts";
import type { Traffic } from "./traffic.ts";

export interface ConnectionContext extends ExchangeContext {
  /** Connections with pairs that are not sure yet. */
  readonly onTrial: Set<Connection>;
  /** See PairingEvents. */
  onRequest(connection: Connection, exchange: Exchange): void;
  onExchange(connection: Connection, exchange: Exchange): void;
  onAbandoned(connection: Connection, exchange: Exchange): void;
}

/** By then the responses that were under way have come. */
const QUIET_NS = 1e9;

/** What is known of it before its first message. */
export interface Known {
  readonly peer: ProcessInfo | null;
  readonly traffic: Traffic;
  readonly joint: Joint | null;
}

export class Connection implements PairingEvents {
  info: ConnectionInfo;
  readonly side: Side;
  /** The process at the other end, once it is known. */
  peer: ProcessInfo | null;
  /** Where its exchanges count; the aggregate's memory. */
  edge: Edge | null = null;
  readonly traffic: Traffic;
  /** Shared with the other end, if it is profiled too. */
  joint: Joint | null;
  private readonly context: ConnectionContext;
  private readonly call = new CurrentCall();
  private readonly pairing: Pairing;
  private readonly requests: Requests;
  private readonly responses: Responses;
  private tunnelBytesSeen = 0;

  constructor(info: ConnectionInfo, side: Side, known: Known, context: ConnectionContext) {
    this.peer = known.peer;
    this.traffic = known.traffic;
    this.joint = known.joint;
    this.info = info;
    this.side = side;
    this.context = context;
    const { isFresh } = info;
    this.pairing = new Pairing(isFresh, context, this);
    this.requests = new Requests(this.pairing, this.call, context, isFresh);
    this.responses = new Responses(this.pairing, this.requests, this.call, context, isFresh);
  }

  /** The first message on it broke the grammar. */
  get isNotHttp(): boolean {
    return this.pairing.isNotHttp;
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
    if (this.side !== "client" || (record.flags & FLAG_WRITE) !== 0) return false;
    if ((record.flags & (FLAG_ABSOLUTE | FLAG_OVERTAKES)) === 0) return false;
    const { expected } = this.requests.direction;
    if (expected === undefined) return (record.flags & FLAG_OVERTAKES) !== 0;
    return ((record.otherPosition - expected) | 0) > 0;
  }

  receive(record: RecordCursor): void {
    const { call, pairing } = this;
    const isRequest = this.carriesRequests(record);
    const { direction } = isRequest ? this.requests : this.responses;
    const other = isRequest ? this.responses.direction : this.requests.direction;
    // Then what is missing at the beginning of the other direction shows, too.
    if (other.expected === undefined && this.info.isFresh) other.expected = record.otherPosition;
    call.timeNs = record.timeNs;
    call.pid = record.pid;
    call.record = record;
    call.bytes = record.bytes;
    if ((record.flags & FLAG_END) !== 0) direction.end(record.position, call.timeNs);
    else {
      if (direction.isBehind(record)) (isRequest ? this.requests : this.responses).outOfOrder();
      const calls = isRequest ? pairing.openRequest?.requestCalls : pairing.openResponse?.responseCalls;
      calls?.add(record);
      direction.receive(record);
      const open = isRequest ? pairing.openRequest : pairing.openResponse;
      if (calls === undefined && open === null && direction.parser.openBytes > 0) direction.noteHeadCall(record);
    }
    if (!isRequest) this.responses.callRead();
    pairing.openRequest?.request.settle();
    pairing.openResponse?.response.settle();
    if (direction.hasLosses) this.account();
  }

  /** How far the direction of this record need not be copied; undefined if there is nothing new to say of it. */
  passesUpTo(record: RecordCursor): number | undefined {
    const { maxRequestBytes, maxResponseBytes } = this.context;
    return this.carriesRequests(record)
      ? this.requests.direction.passesUpTo(maxRequestBytes)
      : this.responses.direction.passesUpTo(maxResponseBytes);
  }

  /** A direction ended: by `end`, what the process reads (`in`), what it writes (`out`), each up to a position. */
  ended(end: { isIn: boolean; isOut: boolean; inPosition: number; outPosition: number }, timeNs: number): void {
    const isServer = this.side === "server";
    const [request, response] = isServer ? [end.isIn, end.isOut] : [end.isOut, end.isIn];
    const [requestAt, responseAt] = isServer ? [end.inPosition, end.outPosition] : [end.outPosition, end.inPosition];
    const { pairing } = this;
    if (response && pairing.isSurplus(responseAt, requestAt)) pairing.matcher.trial.refute();
    if (response) this.responses.direction.end(responseAt, timeNs);
    if (request) this.requests.direction.end(requestAt, timeNs);
    this.account();
  }

  /** All is known of what the process has read and written up to there. */
  isAt(inPosition: number, outPosition: number): boolean {
    const isServer = this.side === "server";
    const { requests, responses } = this;
    return (
      requests.direction.isAt(isServer ? inPosition : outPosition) &&
      responses.direction.isAt(isServer ? outPosition : inPosition)
    );
  }

  /** The peer's FIN has arrived: what was sent before it may yet be read. */
  finArrived(): void {
    (this.side === "server" ? this.requests : this.responses).direction.finArrived();
  }

  /** Pairs that are not sure yet count if it is quiet, and no response is awaited that may belong to one of them. */
  settleTrial(nowNs: number): void {
    const { matcher, openResponse } = this.pairing;
    if (nowNs - this.call.timeNs >= QUIET_NS && matcher.size === 0 && openResponse === null) matcher.conclude();
    if (!matcher.trial.isHolding) this.context.onTrial.delete(this);
  }

  /** There will be no more to judge pairs by that are not sure yet. */
  endTrial(): void {
    this.pairing.matcher.conclude();
    this.context.onTrial.delete(this);
  }

  /** Too many wait: its requests are no longer among them. */
  letGo(): void {
    this.pairing.matcher.clear();
  }

  /** Nothing more will come. */
  close(timeNs: number): void {
    this.responses.direction.end(undefined, timeNs);
    this.requests.direction.end(undefined, timeNs);
    this.account();
    this.pairing.close();
    this.context.onTrial.delete(this);
  }

  onRequest(exchange: Exchange): void {
    this.context.onRequest(this, exchange);
  }

  onExchange(exchange: Exchange): void {
    this.context.onExchange(this, exchange);
  }

  onAbandoned(exchange: Exchange): void {
    this.context.onAbandoned(this, exchange);
  }

  onTrial(): void {
    this.context.onTrial.add(this);
  }

  private carriesRequests(record: RecordCursor): boolean {
    return ((record.flags & FLAG_WRITE) !== 0) === (this.side === "client");
  }

  /** Adds what the parsers could not give to a message to the counters. */
  private account(): void {
    const { counters } = this.context;
    const [requests, responses] = [this.requests.direction, this.responses.direction];
    const tunnelBytes = requests.parser.tunnelBytes + responses.parser.tunnelBytes;
    counters.unaccountedBytes += requests.takeLostBytes() + responses.takeLostBytes();
    counters.tunnelBytes += tunnelBytes - this.tunnelBytesSeen;
    this.tunnelBytesSeen = tunnelBytes;
  }
}
