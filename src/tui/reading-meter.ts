/** How far a recording has been read, and how long the rest will take at this pace. */
import type { Progress } from "../source.ts";
import type { Reading } from "./views/footer.tsx";

export class ReadingMeter {
  private readonly startMs = performance.now();

  of(progress: Progress | null): Reading | null {
    if (progress === null) return null;
    const { doneBytes, totalBytes } = progress;
    const elapsedMs = performance.now() - this.startMs;
    return { doneBytes, totalBytes, leftMs: doneBytes > 0 ? (elapsedMs * (totalBytes - doneBytes)) / doneBytes : 0 };
  }
}
