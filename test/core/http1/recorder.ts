import { latin1 } from "../../../src/core/http1/bytes.ts";
import type { Head, HeadVerdict, LostReason, MessageHandler } from "../../../src/core/http1/handler.ts";

/** Writes down what a parser says, one line an event, in the words of the case files. */
export class Recorder implements MessageHandler {
  readonly events: string[] = [];
  /** What onBody brought, of all messages. */
  body = "";
  private readonly kind: "request" | "response";
  private readonly verdict: (head: Head) => HeadVerdict;
  /** Set to false after a resync, of which the parser says nothing. */
  isOpen = false;

  constructor(kind: "request" | "response", verdict: (head: Head) => HeadVerdict = () => "framed") {
    this.kind = kind;
    this.verdict = verdict;
  }

  onHead(head: Head): HeadVerdict {
    this.expectOpen(false);
    this.isOpen = true;
    const text = (start: number, end: number) => latin1(head.bytes, start, end);
    const startLine =
      this.kind === "request"
        ? `${text(head.start, head.methodEnd)} ${text(head.targetStart, head.targetEnd)}`
        : `${head.status}`;
    const length = head.framing === "length" ? ` ${head.contentLength}` : "";
    const expects = head.expectsContinue ? " expects-continue" : "";
    this.events.push(`head ${startLine} 1.${head.minorVersion} ${head.framing}${length}${expects}`);
    return this.verdict(head);
  }

  onBody(bytes: Uint8Array, start: number, end: number): void {
    this.expectOpen(true);
    if (start >= end) throw new Error("onBody without bytes");
    this.body += latin1(bytes, start, end);
  }

  onEnd(headerBytes: number, bodyBytes: number): void {
    this.expectOpen(true);
    this.isOpen = false;
    this.events.push(`end ${headerBytes}+${bodyBytes}`);
  }

  onLost(why: LostReason, isMessageOpen: boolean): void {
    this.expectOpen(isMessageOpen);
    this.isOpen = false;
    this.events.push(`lost ${why}${isMessageOpen ? " open" : ""}`);
  }

  private expectOpen(isOpen: boolean): void {
    if (this.isOpen !== isOpen) throw new Error(`a message is ${this.isOpen ? "" : "not "}open: ${this.events}`);
  }
}
