/**
 * Waits until the kernel side rings: there is news that may be gone soon, or much in the ring of events. Its records lie
 * in a ring buffer of its own, since poll() on that of the events would return for any of them.
 */
import { libbpf, type Mapping } from "./libbpf.ts";

const PAGE = 4096;

export class Bell {
  private readonly fd: number;
  private readonly consumerPage: Mapping;
  private readonly producerPage: Mapping;
  private readonly consumerPosition: BigInt64Array;
  private readonly producerPosition: BigInt64Array;
  /** See struct globals in bpf/events.h. */
  private readonly wakeAbove: BigUint64Array;
  private readonly mark: bigint;

  /** `markBytes`: what in the ring of events is much. */
  constructor(fd: number, wakeAbove: BigUint64Array, markBytes: number) {
    const { map } = libbpf();
    this.fd = fd;
    this.consumerPage = map(fd, 0, PAGE, true);
    this.producerPage = map(fd, PAGE, PAGE, false);
    this.consumerPosition = new BigInt64Array(this.consumerPage.memory, 0, 1);
    this.producerPosition = new BigInt64Array(this.producerPage.memory, 0, 1);
    this.wakeAbove = wakeAbove;
    this.mark = BigInt(markBytes);
  }

  /** Sleeps until it rings, at most `timeoutMs`; answers whether it rang. */
  async wait(timeoutMs: number): Promise<boolean> {
    Atomics.store(this.wakeAbove, 0, this.mark);
    await libbpf().waitForInput(this.fd, timeoutMs);
    Atomics.store(this.wakeAbove, 0, 0n);
    const rung = Atomics.load(this.producerPosition, 0);
    const hasRung = rung !== this.consumerPosition[0];
    Atomics.store(this.consumerPosition, 0, rung);
    return hasRung;
  }

  close(): void {
    const { unmap } = libbpf();
    unmap(this.consumerPage.address, PAGE);
    unmap(this.producerPage.address, PAGE);
  }
}
