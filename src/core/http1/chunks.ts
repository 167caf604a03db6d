/**
 * The framing of a chunked body (RFC 9112, 7.1), byte by byte: sizes, extensions, trailers. It is stricter about
 * line ends than the head is (2.2 allows a bare LF for start line and fields alone), since servers that differ
 * there see different messages.
 */
import { BACKSLASH, CR, DQUOTE, isBlank, LF, SEMICOLON } from "./bytes.ts";

const MAX_SIZE_LINE_BYTES = 16 * 1024;
const MAX_TRAILER_BYTES = 256 * 1024;

export type ChunkProblem = "invalid" | "too-long";

type State =
  | typeof SIZE_START
  | typeof SIZE
  | typeof SIZE_BLANK
  | typeof EXTENSION
  | typeof QUOTED
  | typeof ESCAPED
  | typeof SIZE_LF
  | typeof DATA
  | typeof DATA_CR
  | typeof DATA_LF
  | typeof TRAILER_START
  | typeof TRAILER
  | typeof LAST_LF
  | typeof DONE;
const SIZE_START = 0;
const SIZE = 1;
const SIZE_BLANK = 2;
const EXTENSION = 3;
const QUOTED = 4;
const ESCAPED = 5;
const SIZE_LF = 6;
const DATA = 7;
const DATA_CR = 8;
const DATA_LF = 9;
const TRAILER_START = 10;
const TRAILER = 11;
const LAST_LF = 12;
const DONE = 13;

const HEX = new Int8Array(256).fill(-1);
for (let i = 0; i < 16; i++) {
  HEX[i.toString(16).charCodeAt(0)] = i;
  HEX[i.toString(16).toUpperCase().charCodeAt(0)] = i;
}

export class ChunkScanner {
  problem: ChunkProblem | null = null;
  /** Bytes of chunk data still to come; above 0, what comes next is data, else framing. */
  dataLeft = 0;
  private state: State = SIZE_START;
  private size = 0;
  /** Bytes of the size line, or of all trailers, so far. */
  private lineBytes = 0;

  get isDone(): boolean {
    return this.state === DONE;
  }

  reset(): void {
    this.problem = null;
    this.dataLeft = 0;
    this.state = SIZE_START;
    this.lineBytes = 0;
  }

  /** Takes framing and data up to the end of the body; with a problem, up to the byte that shows it. */
  scan(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && this.state !== DONE && this.problem === null) {
      at = this.dataLeft > 0 ? at + this.takeData(end - at) : this.scanFraming(bytes, at, end);
    }
    return at;
  }

  /** Takes up to `n` bytes of chunk data and says how many it took. */
  takeData(n: number): number {
    const taken = Math.min(n, this.dataLeft);
    this.dataLeft -= taken;
    if (this.dataLeft === 0) this.state = DATA_CR;
    return taken;
  }

  /** Bytes that need not be seen: chunk data and the CRLF after it, which can be nothing else. */
  get skippableBytes(): number {
    if (this.state === DATA) return this.dataLeft + 2;
    if (this.state === DATA_CR) return 2;
    return this.state === DATA_LF ? 1 : 0;
  }

  /** `n` is at most `skippableBytes`. */
  skip(n: number): void {
    let left = this.state === DATA ? n - this.takeData(n) : n;
    while (left-- > 0) this.step(this.state === DATA_CR ? CR : LF);
  }

  /** Takes framing up to chunk data, the end of the body, or the byte that is wrong. */
  scanFraming(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end) {
      if (!this.step(bytes[at]!)) return at;
      at++;
      if (this.state === DATA || this.state === DONE) return at;
    }
    return at;
  }

  // Longer than other functions: one arm a state, in the order of the grammar.
  private step(byte: number): boolean {
    switch (this.state) {
      case SIZE_START:
        this.size = 0;
        this.lineBytes = 0;
        this.state = SIZE;
        return HEX[byte]! >= 0 ? this.stepSize(byte) : this.fail("invalid");
      case SIZE:
        if (HEX[byte]! >= 0) return this.stepSize(byte);
        return this.stepAfterSize(byte);
      case SIZE_BLANK:
        return this.stepAfterSize(byte);
      case EXTENSION:
        if (byte === CR) this.state = SIZE_LF;
        else if (byte === LF) return this.fail("invalid");
        else if (byte === DQUOTE) this.state = QUOTED;
        return this.count(MAX_SIZE_LINE_BYTES);
      case QUOTED:
        if (byte === CR || byte === LF) return this.fail("invalid");
        if (byte === DQUOTE) this.state = EXTENSION;
        else if (byte === BACKSLASH) this.state = ESCAPED;
        return this.count(MAX_SIZE_LINE_BYTES);
      case ESCAPED:
        if (byte === CR || byte === LF) return this.fail("invalid");
        this.state = QUOTED;
        return this.count(MAX_SIZE_LINE_BYTES);
      case SIZE_LF:
        return byte === LF ? this.endSizeLine() : this.fail("invalid");
      case DATA_CR:
        if (byte !== CR) return this.fail("invalid");
        this.state = DATA_LF;
        return true;
      case DATA_LF:
        if (byte !== LF) return this.fail("invalid");
        this.state = SIZE_START;
        return true;
      case TRAILER_START:
        if (byte === LF) this.state = DONE;
        else this.state = byte === CR ? LAST_LF : TRAILER;
        return this.count(MAX_TRAILER_BYTES);
      case TRAILER:
        if (byte === LF) this.state = TRAILER_START;
        return this.count(MAX_TRAILER_BYTES);
      case LAST_LF:
        if (byte !== LF) return this.fail("invalid");
        this.state = DONE;
        return true;
      default:
        return this.fail("invalid");
    }
  }

  private stepSize(byte: number): boolean {
    this.size = this.size * 16 + HEX[byte]!;
    return this.size > Number.MAX_SAFE_INTEGER ? this.fail("invalid") : this.count(MAX_SIZE_LINE_BYTES);
  }

  /** Blanks may pad the size (7.1.1 allows them before an extension; some servers pad without one). */
  private stepAfterSize(byte: number): boolean {
    if (byte === CR) this.state = SIZE_LF;
    else if (byte === SEMICOLON) this.state = EXTENSION;
    else if (isBlank(byte)) this.state = SIZE_BLANK;
    else if (byte === LF) return this.endSizeLine();
    else return this.fail("invalid");
    return this.count(MAX_SIZE_LINE_BYTES);
  }

  private endSizeLine(): boolean {
    this.dataLeft = this.size;
    this.state = this.size > 0 ? DATA : TRAILER_START;
    this.lineBytes = 0;
    return true;
  }

  private count(limit: number): boolean {
    return ++this.lineBytes <= limit || this.fail("too-long");
  }

  private fail(problem: ChunkProblem): false {
    this.problem = problem;
    return false;
  }
}
