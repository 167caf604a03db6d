/** One request with its response, from the first byte of the one to the last of the other. */
import { CallLog } from "./calls.ts";
import type { Target } from "./target.ts";

/**
 * The first bytes of a message as they went over the connection, up to a limit. What lies in a record is only pointed
 * at for as long as the records' memory stays: most exchanges are complete by then, and need no copy.
 */
export class RawMessage {
  private bytes: Uint8Array = NOTHING;
  private start = 0;
  private end = 0;
  private limit = 0;
  /** The message's own memory, or what is kept lies elsewhere. */
  private own: Uint8Array = NOTHING;

  /** Keeps at most `limit` bytes of the next message. */
  begin(limit: number): void {
    this.bytes = this.own;
    this.start = 0;
    this.end = 0;
    this.limit = limit;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** What is kept; valid until the next `begin`, and before `settle` no longer than the records' memory. */
  get view(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }

  /** `isRecord`: the bytes lie in a record, and stay until `settle`. */
  append(bytes: Uint8Array, start: number, end: number, isRecord: boolean): void {
    const count = Math.min(end - start, this.limit - this.length);
    if (count <= 0) return;
    if (isRecord && this.length === 0) {
      this.bytes = bytes;
      this.start = start;
      this.end = start + count;
    } else if (isRecord && bytes === this.bytes && start === this.end && bytes !== this.own) {
      this.end += count;
    } else {
      this.settle();
      this.copy(bytes, start, count);
    }
  }

  /** Bytes that were not copied follow: what is kept ends here. */
  cut(): void {
    this.limit = this.length;
  }

  /** The records' memory goes: what still points at it is copied. */
  settle(): void {
    if (this.bytes === this.own) return;
    const { bytes, start, length } = this;
    this.bytes = this.own;
    this.start = 0;
    this.end = 0;
    this.copy(bytes, start, length);
  }

  private copy(from: Uint8Array, start: number, count: number): void {
    const length = this.end + count;
    if (length > this.own.length) this.grow(length);
    const { own, end } = this;
    // A loop is faster than making a view for set(), as long as there is not much to copy.
    if (count <= LOOP_BYTES) for (let i = 0; i < count; i++) own[end + i] = from[start + i]!;
    else own.set(from.subarray(start, start + count), end);
    this.end = length;
  }

  private grow(length: number): void {
    const own = new Uint8Array(Math.max(256, 2 ** Math.ceil(Math.log2(length))));
    own.set(this.own.subarray(0, this.end));
    this.own = own;
    this.bytes = own;
  }
}

const NOTHING = new Uint8Array(0);
const LOOP_BYTES = 256;

/** Filled as the connection goes on; reused when it has been counted. */
export class Exchange {
  method = "";
  target!: Target;
  /** Host header, only with `--group-by host`. */
  host = "";
  /** The process that read (server) or wrote (client) the request. */
  pid = 0;
  status = 0;
  requestStartNs = 0;
  requestEndNs = 0;
  /** First byte of the final response. */
  responseStartNs = 0;
  responseEndNs = 0;
  requestHeaderBytes = 0;
  requestBytes = 0;
  responseHeaderBytes = 0;
  responseBytes = 0;
  expectsContinue = false;
  isRequestEnded = false;
  isResponseEnded = false;
  /** Part of the request was missed: it takes its response out of the queue but is not counted as an exchange. */
  isBroken = false;
  /** Its pair is not sure yet: it is not counted before (trial.ts). */
  isOnTrial = false;
  /** Where it counts as in flight. */
  edge: { inFlight: number } | null = null;
  /** Stream position of the call that brought the request's first byte, and how far the responses had come by then. */
  position = 0;
  /** Where in the stream the request itself begins, modulo 2^32: the same on both sides of a TCP connection. */
  streamPosition = 0;
  answerPosition = 0;
  epoch = 0;
  /** When it came, no other waited, and nothing had gone over the connection for some time. */
  isAfterQuiet = false;
  /** The request after it, while it waits for its response. */
  next: Exchange | null = null;
  readonly request = new RawMessage();
  readonly response = new RawMessage();
  readonly requestCalls = new CallLog();
  readonly responseCalls = new CallLog();

  reset(): void {
    this.host = "";
    this.status = 0;
    this.requestEndNs = 0;
    this.requestBytes = 0;
    this.isRequestEnded = false;
    this.isResponseEnded = false;
    this.isBroken = false;
    this.isOnTrial = false;
  }
}

const MAX_SPARE = 1024;
const spare: Exchange[] = [];

export function borrowExchange(): Exchange {
  const exchange = spare.pop() ?? new Exchange();
  exchange.reset();
  return exchange;
}

export function returnExchange(exchange: Exchange): void {
  if (spare.length < MAX_SPARE) spare.push(exchange);
}
