/** The terminal while the screen is on it: alternate screen, keys, size; put back whatever ends the program. */
import { emitKeypressEvents, type Key as NodeKey } from "node:readline";
import { Guard } from "./guard.ts";
import { keyName } from "./keys.ts";
import { ENTER, LEAVE, paint } from "./paint.ts";
import { SlowWriter } from "./slow-writer.ts";
import type { Size } from "./state.ts";

export interface TerminalEvents {
  onKey(key: string): void;
  onResize(): void;
  /** There is no terminal any more. */
  onGone(): void;
}

/** How long Esc may be the beginning of something longer. */
const ESCAPE_MS = 50;
const LAST_PATIENCE_MS = 1000;

export class Terminal {
  private readonly events: TerminalEvents;
  private readonly guard = new Guard();
  private readonly writer: SlowWriter;
  private shown: readonly string[] = [];
  /** The newest frame, while the terminal is busy with an older one. */
  private next: (() => string) | null = null;
  private isOpen = true;

  constructor(events: TerminalEvents) {
    this.events = events;
    this.writer = new SlowWriter(
      () => this.drawNext(),
      () => events.onGone(),
    );
    emitKeypressEvents(process.stdin, { escapeCodeTimeout: ESCAPE_MS } as never);
    process.stdin.on("keypress", this.keyPressed).on("error", () => events.onGone());
    process.stdin.on("end", () => events.onGone());
    process.stdout.on("resize", this.resized);
    process.on("SIGCONT", this.resumed);
    process.on("exit", this.close);
    // Before main.ts tells of the error, or it would tell it to the screen that goes.
    process.on("uncaughtExceptionMonitor", this.close);
    this.enter();
  }

  get size(): Size {
    return { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
  }

  /** What `frame` says when the terminal is ready for it; of those that come meanwhile the last. */
  draw(frame: () => string): void {
    if (!this.isOpen) return;
    if (this.writer.isBusy) {
      this.next = frame;
      return;
    }
    const lines = frame().split("\n");
    const bytes = paint(this.shown, lines, this.size.columns);
    this.shown = lines;
    if (bytes !== "") this.writer.write(bytes);
  }

  /** All anew. */
  clear(): void {
    this.shown = [];
    this.writer.write("\u001b[2J");
  }

  /** Outside of the frame, such as OSC 52. */
  send(sequence: string): void {
    if (!this.writer.isBusy) this.writer.write(sequence);
  }

  /** As Ctrl-Z does; goes on when the shell says so. */
  suspend(): void {
    this.writer.write(LEAVE);
    setRawMode(false);
    process.kill(0, "SIGTSTP");
  }

  readonly close = (): void => {
    if (!this.isOpen) return;
    this.isOpen = false;
    process.stdin.off("keypress", this.keyPressed).pause();
    process.stdout.off("resize", this.resized);
    process.off("SIGCONT", this.resumed);
    process.off("exit", this.close);
    process.off("uncaughtExceptionMonitor", this.close);
    setRawMode(false);
    this.writer.close(LEAVE, LAST_PATIENCE_MS);
    this.guard.dismiss();
  };

  private enter(): void {
    setRawMode(true);
    process.stdin.resume();
    this.writer.write(ENTER);
    this.shown = [];
  }

  private readonly keyPressed = (text: string | undefined, key: NodeKey): void => {
    const name = keyName(text, key);
    if (name !== null) this.events.onKey(name);
  };

  private readonly resized = (): void => {
    this.clear();
    this.events.onResize();
  };

  private readonly resumed = (): void => {
    this.enter();
    this.events.onResize();
  };

  private drawNext(): void {
    const { next } = this;
    this.next = null;
    if (next !== null) this.draw(next);
  }
}

/** A terminal that is gone can't be set. */
function setRawMode(isRaw: boolean): void {
  try {
    process.stdin.setRawMode(isRaw);
  } catch {}
}
