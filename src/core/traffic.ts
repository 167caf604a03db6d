/**
 * What went over one connection since its edge was last told. Which edge that is shows with the first message, and it
 * may become another: what is counted goes to the edge that the connection belongs to when it is settled.
 */
import type { RecordCursor } from "./decode.ts";
import { EarlyCounts } from "./early.ts";
import type { Edge } from "./edge.ts";

const ECONNRESET = 104;
const EPIPE = 32;
const ETIMEDOUT = 110;
const TCP_ESTABLISHED = 1;
const TCP_CLOSE_WAIT = 8;
const TCP_CLOSE = 7;
const NS_PER_US = 1e3;

export class Traffic {
  private readBytes = 0;
  private readCalls = 0;
  private writtenBytes = 0;
  private writeCalls = 0;
  private retransmits = 0;
  private retransmitsSeen: number;
  private connectUs = 0;
  private hasConnectTime = false;
  private srttUs = 0;
  private rttvarUs = 0;
  private hasSample = false;
  /** As the last call saw it, for a connection that is over before TCP is asked. */
  private lastSrttUs = 0;
  private isSampled = false;
  private readonly isFresh: boolean;
  private edge: Edge | null = null;
  /** Until its edge is known. */
  private early: EarlyCounts | null = null;

  /** `isFresh`: seen from its first byte; else what TCP counted before is not ours to tell. */
  constructor(isFresh: boolean) {
    this.isFresh = isFresh;
    this.retransmitsSeen = isFresh ? 0 : -1;
  }

  /** A call that moved bytes. The hot path. */
  call(isWrite: boolean, bytes: number, srttUs: number): void {
    this.lastSrttUs = srttUs;
    if (isWrite) {
      this.writeCalls++;
      this.writtenBytes += bytes;
    } else if (bytes > 0) {
      this.readCalls++;
      this.readBytes += bytes;
    }
  }

  /** The call, if it was timed. */
  took(isWrite: boolean, ns: number): void {
    if (this.edge !== null) this.edge.tcp.window.took(isWrite, ns);
    else this.earlyCounts().took(isWrite, ns);
  }

  dropped(reason: string): void {
    if (this.edge !== null) this.edge.tcp.window.drop(reason, 1);
    else this.earlyCounts().dropped(reason);
  }

  /** A tcp_event. */
  sample(record: RecordCursor): void {
    if (this.retransmitsSeen >= 0) this.retransmits += record.retransmits - this.retransmitsSeen;
    this.retransmitsSeen = record.retransmits;
    if (!this.hasConnectTime && this.isFresh) this.connectUs = record.connectUs;
    this.srttUs = record.tcpSrttUs;
    this.rttvarUs = record.tcpRttvarUs;
    this.hasSample = true;
    this.isSampled = true;
    if (this.edge !== null) this.settle(this.edge);
  }

  /** Gives what was counted to the edge. */
  settle(edge: Edge): void {
    if (edge !== this.edge) this.moveTo(edge);
    const counts = edge.tcp.window;
    counts.readBytes += this.readBytes;
    counts.readCalls += this.readCalls;
    counts.writtenBytes += this.writtenBytes;
    counts.writeCalls += this.writeCalls;
    this.readBytes = 0;
    this.readCalls = 0;
    this.writtenBytes = 0;
    this.writeCalls = 0;
    if (this.hasSample) this.settleSample(edge);
  }

  /** At the end of the run: to the edge that it was last settled with, if any. */
  settleFinally(): void {
    if (this.edge === null) return;
    this.settle(this.edge);
    if (!this.isSampled && this.lastSrttUs > 0) this.edge.tcp.window.srttUs.record(this.lastSrttUs);
    this.isSampled = true;
  }

  /** A state_event ended it; null: a unix socket's end, or nobody knows how. */
  closed(record: RecordCursor | null): void {
    const { edge } = this;
    if (edge === null) return;
    this.settle(edge);
    edge.openConnections--;
    const counts = edge.tcp.window;
    counts.closes++;
    if (record === null || record.state !== TCP_CLOSE) return;
    const { error, oldState } = record;
    if (error === ECONNRESET || error === EPIPE) counts.resets++;
    else if (error === ETIMEDOUT) counts.timeouts++;
    // An orderly end goes through FIN_WAIT or LAST_ACK (RFC 9293, 3.3.2).
    else if (oldState === TCP_ESTABLISHED || oldState === TCP_CLOSE_WAIT) counts.aborts++;
  }

  /** It is not followed any more. */
  left(): void {
    if (this.edge !== null) this.edge.openConnections--;
  }

  private earlyCounts(): EarlyCounts {
    this.early ??= new EarlyCounts();
    return this.early;
  }

  private moveTo(edge: Edge): void {
    this.early?.settle(edge.tcp.window);
    this.early = null;
    edge.openConnections++;
    if (this.edge !== null) this.edge.openConnections--;
    else if (this.isFresh && edge.side === "client") edge.tcp.window.connects++;
    else if (this.isFresh) edge.tcp.window.accepts++;
    this.edge = edge;
  }

  private settleSample(edge: Edge): void {
    const counts = edge.tcp.window;
    counts.retransmits += this.retransmits;
    this.retransmits = 0;
    counts.srttUs.record(this.srttUs);
    counts.rttvarUs.record(this.rttvarUs);
    if (this.connectUs > 0) {
      counts.connectNs.record(this.connectUs * NS_PER_US);
      this.hasConnectTime = true;
      this.connectUs = 0;
    }
    this.hasSample = false;
  }
}
