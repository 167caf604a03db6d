/** Writes to a terminal that may be slow, or stopped with Ctrl-S, without ever waiting for it. */
import { closeSync, constants, openSync, writeSync } from "node:fs";

const RETRY_MS = 10;

export class SlowWriter {
  private readonly fd: number;
  private rest: Buffer | null = null;
  private timer: NodeJS.Timeout | null = null;
  private readonly onFree: () => void;
  private readonly onGone: () => void;

  /** `onFree`: all was written, after it could not be at once. `onGone`: there is no terminal any more. */
  constructor(onFree: () => void, onGone: () => void) {
    this.fd = openTerminal();
    this.onFree = onFree;
    this.onGone = onGone;
  }

  get isBusy(): boolean {
    return this.rest !== null;
  }

  write(text: string): void {
    this.rest = this.rest === null ? Buffer.from(text) : Buffer.concat([this.rest, Buffer.from(text)]);
    if (this.timer === null) this.drain();
  }

  /** What was not taken yet is forgotten; then `last` is written, if the terminal takes it within `patienceMs`. */
  close(last: string, patienceMs: number): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.rest = Buffer.from(last);
    const endsAt = performance.now() + patienceMs;
    while (this.rest !== null && this.writeSome() && performance.now() < endsAt) {
      if (this.rest !== null) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
    closeSync(this.fd);
  }

  private drain(): void {
    this.timer = null;
    if (!this.writeSome()) this.onGone();
    else if (this.rest !== null) this.timer = setTimeout(() => this.later(), RETRY_MS);
  }

  private later(): void {
    this.drain();
    if (this.rest === null) this.onFree();
  }

  /** False when the terminal is gone. */
  private writeSome(): boolean {
    try {
      while (this.rest !== null) {
        const count = writeSync(this.fd, this.rest);
        this.rest = count < this.rest.length ? this.rest.subarray(count) : null;
      }
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return true;
      this.rest = null;
      return false;
    }
  }
}

/** Opened anew, since O_NONBLOCK belongs to the open file, which the shell shares. */
function openTerminal(): number {
  const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  try {
    return openSync("/proc/self/fd/1", flags);
  } catch {
    return openSync("/dev/tty", flags);
  }
}
