/** Process names by PID: from the kernel's records, and for those that none named, from outside. */

const MAX_NAMES = 10_000;

export class ProcessNames {
  private readonly names = new Map<number, string>();
  private readonly lookup: (pid: number) => string;

  constructor(lookup: (pid: number) => string) {
    this.lookup = lookup;
  }

  learn(pid: number, comm: string): void {
    if (this.names.size >= MAX_NAMES) this.names.clear();
    this.names.set(pid, comm);
  }

  of(pid: number): string {
    const known = this.names.get(pid);
    if (known !== undefined) return known;
    const comm = this.lookup(pid);
    this.learn(pid, comm);
    return comm;
  }
}
