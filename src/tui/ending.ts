/** How the screen comes to its end: by a key, by a signal, or because the terminal is gone. */

import { onEndSignals } from "../end-signals.ts";

export interface EndingEvents {
  /** The run is to end, and its summary to follow. */
  onQuit(): void;
  /** The process ends at once. */
  onImpatience(): void;
}

export class Ending {
  /** Nobody is there any more to show anything to. */
  isGone = false;
  hasQuit = false;
  /** It listens to no signal any more. */
  readonly close: () => void;
  private readonly events: EndingEvents;
  private tellQuit: () => void = () => {};

  constructor(events: EndingEvents) {
    this.events = events;
    this.close = onEndSignals(this.signalled, this.signalled);
  }

  quit(): void {
    this.hasQuit = true;
    this.events.onQuit();
    this.tellQuit();
  }

  gone(): void {
    this.isGone = true;
    this.quit();
  }

  /** When the user has seen enough. */
  async quitted(): Promise<void> {
    if (this.hasQuit) return;
    await new Promise<void>((resolve) => {
      this.tellQuit = resolve;
    });
  }

  /** The first is an end like Ctrl-C's; the second is not waited out. */
  private readonly signalled = (signal: NodeJS.Signals): void => {
    if (signal === "SIGHUP") this.isGone = true;
    if (!this.hasQuit) {
      this.quit();
      return;
    }
    this.events.onImpatience();
    process.exit(1);
  };
}
