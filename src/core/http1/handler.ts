/**
 * What the parser of one direction tells its owner. The parser keeps no message: it walks the stream and
 * calls these in stream order. `Head` is one reused object over bytes that are only valid during the call.
 */
export interface MessageHandler {
  /**
   * A complete start line with its headers. The answer says how the body is framed: `framed`, as the head
   * itself says (RFC 9112, 6.3); `no-body`, whatever the head says (answer to HEAD); `tunnel`, the connection
   * leaves HTTP with this message (101, 2xx to CONNECT) and its message ends here.
   */
  onHead(head: Head): HeadVerdict;
  /** Body bytes as they went over the connection, chunk framing included. Not called for bytes that were not copied. */
  onBody(bytes: Uint8Array, start: number, end: number): void;
  /** The message is complete, at the parser's `endNs`. Sizes count what went over the connection, copied or not. */
  onEnd(headerBytes: number, bodyBytes: number): void;
  /**
   * The stream can't be followed from here: `invalid`, it breaks the grammar; `gap`, bytes that were needed are
   * missing; `too-long`, a head or a line past its limit; `truncated`, the connection ended inside a message.
   * The parser is then lost until a message starts at the beginning of a socket call. The message that was
   * open, if its head was reported, gets no onEnd.
   */
  onLost(why: LostReason, isMessageOpen: boolean): void;
}

export type HeadVerdict = "framed" | "no-body" | "tunnel";
export type LostReason = "invalid" | "gap" | "too-long" | "truncated";
export type Framing = "none" | "length" | "chunked" | "close";

/** A parsed start line and the framing of what follows. Offsets are into `bytes`. */
export interface Head {
  bytes: Uint8Array;
  /** First byte of the start line. */
  start: number;
  /** After the empty line that ends the headers. */
  end: number;
  /** Request: `bytes[start, methodEnd)` is the method. */
  methodEnd: number;
  /** Request: `bytes[targetStart, targetEnd)` is the request target. */
  targetStart: number;
  targetEnd: number;
  /** Response: the status code; 0 in a request. */
  status: number;
  /** HTTP/1.`minorVersion`. */
  minorVersion: number;
  framing: Framing;
  /** With framing `length`. */
  contentLength: number;
  /** The request carries `Expect: 100-continue`. */
  expectsContinue: boolean;
  /** When the first byte of the message went through its socket call. */
  startNs: number;
}
