/**
 * Where in a function of x86-64 a probe costs least. The kernel steps through the instruction under a probe on its own
 * page, with a second trap, unless it is one of those that it emulates: PUSH, JMP, Jcc, CALL (arch/x86/kernel/uprobes.c).
 * On a virtual machine that trap leaves the guest, and a call that is probed took 6 µs instead of 1.
 */
import { effectAt, R8, RAX, RCX, RDI, RSI, RSP } from "./x86-effect.ts";

/** What is read of a function. */
export const CODE_BYTES = 96;

/** Past the few instructions after which the stack pointer and `registers` still are as the caller left them; or null. */
export function cheapPlace(code: Buffer, registers: readonly number[]): number | null {
  for (let at = 0; ; ) {
    const effect = effectAt(code, at);
    if (effect === null) return null;
    if (effect.kind !== "other") return at;
    const { writes } = effect;
    if (writes === RSP || (writes !== null && registers.includes(writes))) return null;
    at += effect.bytes;
  }
}

/** CMOVG from where the number of bytes is, after TEST %eax,%eax: what is greater than 0 remains so. */
const TAKES_LENGTH = [
  Buffer.from([0x85, 0xc0, 0x0f, 0x4f, 0x04, 0x24]),
  Buffer.from([0x85, 0xc0, 0x0f, 0x4f, 0x44, 0x24]),
];

/** Behind a call whose result is in RAX, past the few instructions after which it still is, as far as its sign goes. */
export function cheapEnd(code: Buffer): number {
  const taken = TAKES_LENGTH.find((form) => code.subarray(0, form.length).equals(form));
  const start = taken === undefined ? 0 : taken.length + Number(taken[4] === 0x44);
  const place = cheapPlace(code.subarray(start), [RAX]);
  return place === null ? 0 : start + place;
}

/** A function that another hands its arguments on to. */
export interface Inner {
  /** From the beginning of the other. */
  readonly target: number;
  /** The register with the address for the number of bytes. */
  readonly lengthAt: typeof RCX | typeof R8;
}

/**
 * `int f(void *session, void *buffer, …)` that calls `g(session, buffer, …, size_t *length)`: SSL_read, with a
 * variable of its own, or SSL_read_ex with its argument in the register `lengthAt`. Null if it is not seen to do that.
 */
export function innerOf(code: Buffer, lengthAt: typeof RCX | typeof R8 | null): Inner | null {
  // What the registers hold: the argument that came in one, or RSP for an address on the stack.
  const values = new Map<number, number>([RDI, RSI, RCX, R8, RSP].map((register) => [register, register]));
  for (let at = 0; ; ) {
    const effect = effectAt(code, at);
    if (effect === null) return null;
    const { kind, target, writes, from } = effect;
    if (kind === "call" || kind === "jump") {
      if (values.get(RDI) !== RDI || values.get(RSI) !== RSI) return null;
      const found = ([RCX, R8] as const).find((register) => values.get(register) === (lengthAt ?? RSP));
      return found === undefined ? null : { target: at + target!, lengthAt: found };
    }
    if (writes !== null && writes !== RSP) {
      const value = from === null ? undefined : values.get(from);
      if (value === undefined) values.delete(writes);
      else values.set(writes, value);
    }
    at += effect.bytes;
  }
}
