/** Finds the end of one body, by count, by chunks or by the connection's end (RFC 9112, 6.3). */
import { type ChunkProblem, ChunkScanner } from "./chunks.ts";
import type { Framing } from "./handler.ts";

export class BodyScanner {
  framing: Framing = "none";
  /** Bytes of the body so far, transfer coding included. */
  bytes = 0;
  private left = 0;
  // Most connections never see a chunked body.
  private chunks: ChunkScanner | null = null;

  begin(framing: Framing, contentLength: number): void {
    this.framing = framing;
    this.bytes = 0;
    this.left = contentLength;
    if (framing !== "chunked") return;
    this.chunks ??= new ChunkScanner();
    this.chunks.reset();
  }

  get isDone(): boolean {
    if (this.framing === "chunked") return this.chunks!.isDone;
    return this.framing === "none" || (this.framing === "length" && this.left === 0);
  }

  /** Bytes that are known to be nothing but body. */
  get bytesLeft(): number {
    if (this.framing === "close") return Number.POSITIVE_INFINITY;
    return this.framing === "chunked" ? this.chunks!.dataLeft : this.left;
  }

  get problem(): ChunkProblem | null {
    return this.framing === "chunked" ? this.chunks!.problem : null;
  }

  /** Takes what belongs to the body and says how much; with a problem, what came before the byte that shows it. */
  take(bytes: Uint8Array, start: number, end: number): number {
    const taken = this.framing === "chunked" ? this.chunks!.scan(bytes, start, end) - start : this.count(end - start);
    this.bytes += taken;
    return taken;
  }

  /** Takes up to `n` bytes that were not seen, as far as they can't decide anything. */
  skip(n: number): number {
    const taken = this.framing === "chunked" ? this.skipChunk(n) : this.count(n);
    this.bytes += taken;
    return taken;
  }

  private count(n: number): number {
    if (this.framing === "close") return n;
    const taken = Math.min(n, this.left);
    this.left -= taken;
    return taken;
  }

  private skipChunk(n: number): number {
    const taken = Math.min(n, this.chunks!.skippableBytes);
    this.chunks!.skip(taken);
    return taken;
  }
}
