/** What was seen and what was not: every drop, gap and unmatched message has a counter here that the user sees. */
import type { Capture } from "./profile/window.ts";

export class CaptureCounters {
  events = 0;
  seenBytes = 0;
  capturedBytes = 0;
  requests = 0;
  responses = 0;
  exchanges = 0;
  unansweredRequests = 0;
  orphanResponses = 0;
  unparsedMessages = 0;
  /** Bytes of HTTP connections that the parser could not give to a message. */
  unaccountedBytes = 0;
  /** Bytes on connections after they left HTTP (WebSocket, CONNECT). */
  tunnelBytes = 0;
  /** Set from the kernel's counters. */
  lostEvents = 0;
  lostBytes = 0;

  /** Floored to six decimals: it says 1 only when nothing at all was missed. */
  get coverage(): number {
    // A lost event shows a second time as a gap in its stream, or not at all if the stream ended with it.
    const missed = Math.max(this.unaccountedBytes, this.lostBytes, this.lostEvents > 0 ? 1 : 0);
    const total = Math.max(this.seenBytes, missed) + this.lostBytes;
    if (missed === 0) return 1;
    return Math.min(Math.max(0, Math.floor((1 - missed / total) * 1e6) / 1e6), 0.999999);
  }

  snapshot(): Capture {
    return {
      events: this.events,
      lostEvents: this.lostEvents,
      seenBytes: this.seenBytes,
      capturedBytes: this.capturedBytes,
      requests: this.requests,
      responses: this.responses,
      exchanges: this.exchanges,
      unansweredRequests: this.unansweredRequests,
      orphanResponses: this.orphanResponses,
      unparsedMessages: this.unparsedMessages,
      tunnelBytes: this.tunnelBytes,
      coverage: this.coverage,
    };
  }
}
