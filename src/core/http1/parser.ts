/**
 * Follows the HTTP/1.x messages of one direction of a connection (RFC 9112), from what went through its socket
 * calls. It never throws and keeps at most one incomplete head. Every byte ends up in one place:
 *
 *   fed + skipped = messages reported by onEnd + emptyLineBytes + proxyBytes + openBytes + cutBytes + lostBytes
 *                   + tunnelBytes
 *
 * Once lost, it stays so until a call begins with a message (a whole, valid start line), and is silent about
 * everything that only looked like one. A handler must not call back into the parser that calls it.
 */
import { BodyScanner } from "./body.ts";
import { CR, LF } from "./bytes.ts";
import { looksLike, PREFIX_BYTES, skipEmptyLines, startsWithKnownMethod } from "./detect.ts";
import type { LostReason, MessageHandler } from "./handler.ts";
import { borrowScanner, type HeadScanner, returnScanner } from "./head-scanner.ts";
import { ProxyHeader, startsWithProxyHeader } from "./proxy-header.ts";

/** What the next byte belongs to. `probe`: lost, but what is kept of the head may turn out to be one. */
type State = "start" | "proxy" | "head" | "body" | "lost" | "probe" | "tunnel";

export class MessageParser {
  /**
   * When what is fed went through its socket call (nanoseconds), set before it is. A field and no parameter: V8 makes
   * an object of a double that is handed on.
   */
  nowNs = 0;
  /** When the message ended that onEnd tells of. */
  endNs = 0;
  /** Bytes that belong to no message that could be read: seen while lost, or of a head that broke. */
  lostBytes = 0;
  /** Bytes after the connection left HTTP. */
  tunnelBytes = 0;
  /** Empty lines between messages. */
  emptyLineBytes = 0;
  /** A PROXY header before the first request. */
  proxyBytes = 0;
  /** Bytes of messages that were reported by onHead and then cut short by onLost. */
  cutBytes = 0;
  private readonly kind: "request" | "response";
  private readonly handler: MessageHandler;
  private state: State;
  private partialHead: HeadScanner | null = null;
  private readonly body = new BodyScanner();
  private headerBytes = 0;
  private headEndNs = 0;
  private isBodyOptional = false;
  private isFirst: boolean;
  private proxyHeader: ProxyHeader | null = null;

  /** `isAtMessageStart` false: joined in mid-stream. */
  constructor(kind: "request" | "response", handler: MessageHandler, isAtMessageStart: boolean) {
    this.kind = kind;
    this.handler = handler;
    this.state = isAtMessageStart ? "start" : "lost";
    this.isFirst = isAtMessageStart && kind === "request";
  }

  get isLost(): boolean {
    return this.state === "lost" || this.state === "probe";
  }

  get isTunnel(): boolean {
    return this.state === "tunnel";
  }

  /** At the start of a message of which no byte has come. */
  get isIdle(): boolean {
    return this.state === "start";
  }

  /** Bytes to come that nobody needs to see: body of known length, or anything where HTTP has ended. */
  get bytesToPass(): number {
    if (this.state === "body") return this.body.bytesLeft;
    return this.state === "tunnel" ? Number.POSITIVE_INFINITY : 0;
  }

  /** Bytes of the message that is being read. */
  get openBytes(): number {
    if (this.partialHead !== null) return this.partialHead.keptBytes;
    return this.state === "body" ? this.headerBytes + this.body.bytes : 0;
  }

  /**
   * `bytes[start, end)` of one socket call went through; with `isCallStart`, `bytes[start]` is the first byte of that
   * call. The bytes are read during the call only.
   */
  feed(bytes: Uint8Array, start: number, end: number, isCallStart: boolean): void {
    if (start >= end) return;
    let at = isCallStart ? this.meetCallStart(bytes, start, end) : start;
    while (at < end) {
      if (this.state === "start") at = this.feedStart(bytes, at, end);
      else if (this.state === "proxy") at = this.feedProxyHeader(this.proxyHeader!, bytes, at, end);
      else if (this.state === "body") at = this.feedBody(bytes, at, end);
      else if (this.partialHead !== null) at = this.feedPartialHead(this.partialHead, bytes, at, end);
      else at = this.feedNowhere(at, end);
    }
  }

  /** `n` bytes went through whose content was not copied: as good as seen inside a body, else a gap. */
  skip(n: number): void {
    const left = this.state === "body" && n > 0 ? n - this.skipBody(n) : n;
    if (left <= 0) return;
    if (this.state === "tunnel") {
      this.tunnelBytes += left;
      return;
    }
    if (!this.isLost) this.lose("gap");
    this.resync();
    this.lostBytes += left;
  }

  /** This direction ended: that completes a body that is read until close, and cuts any other message. */
  end(): void {
    if (this.isBodyOptional) this.finishEarly();
    else if (this.state === "body" && this.body.framing === "close") this.finishMessage();
    else if (this.state === "body" || this.state === "head") this.lose("truncated");
    if (this.state !== "tunnel") this.resync();
  }

  /**
   * The body of the open message will perhaps not be sent: a final response came before any byte of it (RFC 9110,
   * 10.1.1). If the next call starts like a message, the open one ends with an empty body.
   */
  bodyIsOptional(): void {
    this.isBodyOptional = this.state === "body" && this.body.bytes === 0;
  }

  /** Forgets everything; lost, without a word, until a call begins with a message. */
  resync(): void {
    if (this.state === "body") this.cutBytes += this.headerBytes + this.body.bytes;
    if (this.partialHead !== null) this.lostBytes += this.partialHead.keptBytes;
    this.dropPartialHead();
    this.isBodyOptional = false;
    this.state = "lost";
  }

  /** The connection left HTTP by what the other direction said (101, 2xx to CONNECT): all from here is tunnel. */
  leaveHttp(): void {
    this.resync();
    this.state = "tunnel";
  }

  private meetCallStart(bytes: Uint8Array, start: number, end: number): number {
    if (this.isBodyOptional && looksLike(bytes, start, end) === this.kind) this.finishEarly();
    if (this.state === "probe" && this.startsAfresh(bytes, start, end)) this.resync();
    return this.state === "lost" ? this.probe(bytes, start, end) : start;
  }

  /** Whether the call is a better start of a message than what is kept from calls before, the call added. */
  private startsAfresh(bytes: Uint8Array, start: number, end: number): boolean {
    if (looksLike(bytes, start, Math.min(end, start + PREFIX_BYTES)) === this.kind) {
      if (this.kind === "response" || startsWithKnownMethod(bytes, start, end)) return true;
    }
    return !this.partialHead!.canGoOnWith(bytes, start, end);
  }

  /** While lost no empty line is skipped: a call that begins with one is more likely the middle of something. */
  private probe(bytes: Uint8Array, start: number, end: number): number {
    if (bytes[start] === CR || bytes[start] === LF) return start;
    const looks = looksLike(bytes, start, Math.min(end, start + PREFIX_BYTES));
    return looks === this.kind || looks === "maybe" ? this.scanHead(bytes, start, end) : start;
  }

  private feedStart(bytes: Uint8Array, start: number, end: number): number {
    if (this.isFirst) {
      this.isFirst = false;
      if (startsWithProxyHeader(bytes, start, end)) {
        this.proxyHeader = new ProxyHeader(bytes, start);
        this.state = "proxy";
        return start;
      }
    }
    const at = skipEmptyLines(bytes, start, end);
    this.emptyLineBytes += at - start;
    return at < end ? this.scanHead(bytes, at, end) : end;
  }

  private feedProxyHeader(header: ProxyHeader, bytes: Uint8Array, start: number, end: number): number {
    const taken = header.take(bytes, start, end);
    this.proxyBytes += taken;
    if (header.isDone) {
      this.proxyHeader = null;
      this.state = "start";
    }
    return start + taken;
  }

  private scanHead(bytes: Uint8Array, start: number, end: number): number {
    const scanner = borrowScanner(this.kind === "request", this.isLost);
    scanner.head.startNs = this.nowNs;
    const result = scanner.scan(bytes, start, end);
    if (result === "head") return start + this.openMessage(scanner);
    if (result === "more") {
      scanner.keep(bytes, start, end);
      this.partialHead = scanner;
      this.state = this.isLost && !scanner.hasStartLine ? "probe" : "head";
      return end;
    }
    this.lostBytes += end - start;
    this.breakHead(scanner, result);
    return end;
  }

  private feedPartialHead(scanner: HeadScanner, bytes: Uint8Array, start: number, end: number): number {
    const keptBefore = scanner.keptBytes;
    const result = scanner.scanMore(bytes, start, end);
    if (result === "more") {
      if (scanner.hasStartLine) this.state = "head";
      return end;
    }
    this.partialHead = null;
    if (result === "head") return start + this.openMessage(scanner) - keptBefore;
    this.lostBytes += keptBefore + end - start;
    this.breakHead(scanner, result);
    return end;
  }

  private openMessage(scanner: HeadScanner): number {
    const { head } = scanner;
    const headerBytes = head.end - head.start;
    this.headerBytes = headerBytes;
    this.headEndNs = this.nowNs;
    this.body.begin(head.framing, head.contentLength);
    this.state = "body";
    const verdict = this.handler.onHead(head);
    returnScanner(scanner);
    if (verdict !== "framed") this.body.begin("none", 0);
    if (this.body.isDone) this.finishMessage();
    if (verdict === "tunnel") this.state = "tunnel";
    return headerBytes;
  }

  private feedBody(bytes: Uint8Array, start: number, end: number): number {
    this.isBodyOptional = false;
    const bodyEnd = start + this.body.take(bytes, start, end);
    if (bodyEnd > start) this.handler.onBody(bytes, start, bodyEnd);
    if (this.body.isDone) this.finishMessage();
    else if (this.body.problem !== null) this.lose(this.body.problem);
    return bodyEnd;
  }

  private skipBody(n: number): number {
    this.isBodyOptional = false;
    const taken = this.body.skip(n);
    if (this.body.isDone) this.finishMessage();
    return taken;
  }

  /** Lost, or no longer HTTP. */
  private feedNowhere(start: number, end: number): number {
    if (this.state === "tunnel") this.tunnelBytes += end - start;
    else this.lostBytes += end - start;
    return end;
  }

  private finishMessage(): void {
    this.endNs = this.nowNs;
    this.closeMessage();
  }

  /** Its body will not come: it ended with its head. */
  private finishEarly(): void {
    this.endNs = this.headEndNs;
    this.closeMessage();
  }

  private closeMessage(): void {
    this.isBodyOptional = false;
    this.state = "start";
    this.handler.onEnd(this.headerBytes, this.body.bytes);
  }

  /** A probe that fails before its start line was whole was none: that is not news. */
  private breakHead(scanner: HeadScanner, why: LostReason): void {
    const isNews = !this.isLost || scanner.hasStartLine;
    returnScanner(scanner);
    this.state = "lost";
    if (isNews) this.handler.onLost(why, false);
  }

  private lose(why: LostReason): void {
    const isMessageOpen = this.state === "body";
    this.resync();
    this.handler.onLost(why, isMessageOpen);
  }

  private dropPartialHead(): void {
    if (this.partialHead !== null) returnScanner(this.partialHead);
    this.partialHead = null;
  }
}
