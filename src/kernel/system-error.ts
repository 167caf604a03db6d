/** What the calls of libbpf.ts and system-calls.ts answer with. */
import koffi from "koffi";

/** An opaque pointer into libbpf. */
export type Pointer = bigint & { readonly pointer: true };

export class SystemError extends Error {
  readonly errno: number;

  constructor(what: string, errno: number) {
    super(`${what}: ${errnoName(errno)}`);
    this.name = "SystemError";
    this.errno = errno;
  }
}

function errnoName(errno: number): string {
  return Object.entries(koffi.os.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
}
