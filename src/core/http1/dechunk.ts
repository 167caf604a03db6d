/** The content of a chunked body of which perhaps only the first part was kept (RFC 9112, 7.1.3). */
import { ChunkScanner } from "./chunks.ts";

export interface Dechunked {
  readonly body: Uint8Array;
  /** The last chunk and its trailers were there. */
  readonly isComplete: boolean;
}

/** Stops at the first byte that is no chunk framing. */
export function dechunk(bytes: Uint8Array): Dechunked {
  const chunks = new ChunkScanner();
  const body = new Uint8Array(bytes.length);
  let length = 0;
  let at = 0;
  while (at < bytes.length && !chunks.isDone && chunks.problem === null) {
    if (chunks.dataLeft > 0) {
      const taken = chunks.takeData(bytes.length - at);
      body.set(bytes.subarray(at, at + taken), length);
      length += taken;
      at += taken;
    } else at = chunks.scanFraming(bytes, at, bytes.length);
  }
  return { body: body.slice(0, length), isComplete: chunks.isDone };
}
