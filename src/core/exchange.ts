/** One request with its response, from the first byte of the one to the last of the other. */
import type { Edge } from "./edge.ts";
import type { Target } from "./target.ts";

/** The first bytes of a message as they went over the connection, up to a limit. */
export class RawMessage {
  bytes = new Uint8Array(0);
  length = 0;
  private limit = 0;

  /** Keeps at most `limit` bytes of the next message. */
  begin(limit: number): void {
    this.length = 0;
    this.limit = limit;
  }

  append(bytes: Uint8Array, start: number, end: number): void {
    const count = Math.min(end - start, this.limit - this.length);
    if (count <= 0) return;
    if (this.length + count > this.bytes.length) this.grow(this.length + count);
    this.bytes.set(bytes.subarray(start, start + count), this.length);
    this.length += count;
  }

  /** Bytes that were not copied follow: what is kept ends here. */
  cut(): void {
    this.limit = this.length;
  }

  private grow(length: number): void {
    const bytes = new Uint8Array(
      Math.min(Math.max(256, 2 ** Math.ceil(Math.log2(length))), Math.max(this.limit, length)),
    );
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
  }
}

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
  /** Where it counts as in flight. */
  edge: Edge | null = null;
  /** Stream position of the call that brought the request's first byte, and how far the responses had come by then. */
  position = 0;
  answerPosition = 0;
  epoch = 0;
  readonly request = new RawMessage();
  readonly response = new RawMessage();

  reset(): void {
    this.host = "";
    this.status = 0;
    this.requestEndNs = 0;
    this.requestBytes = 0;
    this.isRequestEnded = false;
    this.isResponseEnded = false;
    this.isBroken = false;
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
