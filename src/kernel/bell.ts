/**
 * Waits until the kernel side rings: there is news that may be gone soon, or much in the ring of events. It rings by a
 * record in a ring of its own, since poll() on that of the events would return for any of them.
 */
import { libbpf } from "./libbpf.ts";
import { RingBuffer } from "./ring-buffer.ts";

/** Size of its ring: at least a page of any machine. */
export const BELL_BYTES = 65_536;
/** With so much in the ring of events it rings: read while it is in a processor's cache, it costs less. */
const MARK_BYTES = 1 << 18;
/** … and with no more of that ring than this. */
const MARK_SHARE = 1 / 8;

export class Bell {
  /** Bytes in the ring of events at which it rings. */
  readonly markBytes: number;
  private readonly fd: number;
  private readonly ring: RingBuffer;
  /** See struct globals in bpf/events.h. */
  private readonly wakeAbove: BigUint64Array;

  /** `eventsBytes`: size of the ring of events. */
  constructor(fd: number, wakeAbove: BigUint64Array, eventsBytes: number) {
    this.fd = fd;
    this.ring = new RingBuffer(fd, BELL_BYTES);
    this.wakeAbove = wakeAbove;
    this.markBytes = Math.min(MARK_BYTES, eventsBytes * MARK_SHARE);
  }

  /** Sleeps until it rings, at most `timeoutMs`; answers whether it rang. */
  async wait(timeoutMs: number): Promise<boolean> {
    Atomics.store(this.wakeAbove, 0, BigInt(this.markBytes));
    await libbpf().waitForInput(this.fd, timeoutMs);
    return this.hasRung();
  }

  /** The same, and nothing else is done meanwhile. */
  block(timeoutMs: number): boolean {
    Atomics.store(this.wakeAbove, 0, BigInt(this.markBytes));
    libbpf().blockForInput(this.fd, timeoutMs);
    return this.hasRung();
  }

  private hasRung(): boolean {
    Atomics.store(this.wakeAbove, 0, 0n);
    return this.ring.skip();
  }

  close(): void {
    this.ring.close();
  }
}
