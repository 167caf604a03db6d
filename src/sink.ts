/** Where the output goes: stdout, or the file of `-o`. Written at once and in order. */
import { closeSync, openSync, writeSync } from "node:fs";
import { UserError } from "./errors.ts";

const STDOUT = 1;
const EAGAIN_PAUSE_MS = 1;

export class Sink {
  private isClosed = false;
  private readonly path: string | null;
  private readonly fd: number;
  private readonly onClosed: () => void;

  /**
   * `path` null: stdout. `onClosed` is called when nobody reads any more (`| head -1`): nothing is written from then
   * on, and the run may end. @throws UserError `cannot-write`
   */
  constructor(path: string | null, onClosed: () => void) {
    this.path = path;
    this.onClosed = onClosed;
    try {
      this.fd = path === null ? STDOUT : openSync(path, "w");
    } catch (cause) {
      throw this.cannotWrite(cause);
    }
  }

  /** @throws UserError `cannot-write`, as when the disk is full */
  write(text: string): void {
    if (text === "" || this.isClosed) return;
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length && !this.isClosed; ) at += this.writeSome(bytes, at);
  }

  close(): void {
    if (this.path !== null) closeSync(this.fd);
  }

  private writeSome(bytes: Buffer, at: number): number {
    try {
      return writeSync(this.fd, bytes, at);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === "EPIPE") {
        this.isClosed = true;
        this.onClosed();
        return 0;
      }
      if (code !== "EAGAIN") throw this.cannotWrite(cause);
      // A pipe or terminal that another program set to non-blocking is full.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, EAGAIN_PAUSE_MS);
      return 0;
    }
  }

  private cannotWrite(cause: unknown): UserError {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
    const where = this.path ?? "stdout";
    const hint =
      why === "ENOSPC"
        ? "make room, or name a file on another disk with -o"
        : "name a file that you may write to with -o";
    return new UserError("cannot-write", `cannot write to ${where}: ${why}`, hint, { cause });
  }
}
