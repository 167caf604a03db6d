/**
 * Where the breakpoints of a function of Go's compiler go: one behind its entry, and one at each instruction that
 * returns. Stacks of goroutines are moved, so a changed return address, as of a uretprobe, would end the program. A
 * breakpoint inside of an instruction would, too: every instruction is decoded, every jump must lead to one of them,
 * and if anything is not as the compiler writes it there are no places.
 */
import { EM_AARCH64, EM_X86_64 } from "../elf.ts";
import { decodeX86 } from "../x86-instruction.ts";

export interface Places {
  /** The arguments are in their registers there, and the stack is as at the entry. */
  readonly entry: number;
  readonly returns: readonly number[];
  /** Its first two words of arguments lie above the return address all the while. */
  readonly keepsArguments: boolean;
}

/** `code` is all of the function; offsets are from its beginning. Null: not understood. */
export function placesOf(machine: number, code: Buffer): Places | null {
  if (machine === EM_X86_64) return placesOfX86(code);
  return machine === EM_AARCH64 ? placesOfArm64(code) : null;
}

/** Whether a function that needs more than a little stack can begin so: it asks first if there is enough. */
export function isStackCheck(machine: number, code: Buffer): boolean {
  if (machine === EM_X86_64) return checkBytes(code) > 0;
  return machine === EM_AARCH64 && code.length >= 4 && code.readUInt32LE(0) === LOAD_STACK_GUARD;
}

/** cmp 0x10(%r14),%rsp, or lea -SIZE(%rsp),%r12 and cmp 0x10(%r14),%r12: how many bytes; 0: it is neither. */
function checkBytes(code: Buffer): number {
  const has = (at: number, ...bytes: number[]) => bytes.every((byte, i) => code[at + i] === byte);
  if (has(0, 0x49, 0x3b, 0x66, 0x10)) return 4;
  if (has(0, 0x4c, 0x8d, 0x64, 0x24) && has(5, 0x4d, 0x3b, 0x66, 0x10)) return 9;
  return has(0, 0x4c, 0x8d, 0xa4, 0x24) && has(8, 0x4d, 0x3b, 0x66, 0x10) ? 12 : 0;
}

const PUSH_RBP = 0x55;
const JBE = 0x76;
const RET = 0xc3;

function placesOfX86(code: Buffer): Places | null {
  const starts = new Set<number>();
  const returns: number[] = [];
  const targets: number[] = [];
  for (let at = 0; at < code.length; ) {
    const instruction = decodeX86(code, at);
    if (instruction === null) return null;
    starts.add(at);
    if (instruction.jump !== null) targets.push(at + instruction.jump);
    if (instruction.isReturn) {
      if (code[at] !== RET) return null;
      returns.push(at);
    }
    at += instruction.bytes;
  }
  const entry = entryOfX86(code);
  if (entry === null || returns.length === 0 || !targets.every((target) => starts.has(target))) return null;
  return { entry, returns, keepsArguments: keepsArgumentsX86(code, [...starts]) };
}

/**
 * The kernel need not step over the instruction after the check, push %rbp, since it can do that by itself; nor over
 * the jump that ends the check, where older compilers go on otherwise.
 */
function entryOfX86(code: Buffer): number | null {
  const jump = checkBytes(code);
  if (jump === 0) return null;
  const isNear = code[jump] === 0x0f && code[jump + 1] === 0x86;
  if (!isNear && code[jump] !== JBE) return null;
  const next = jump + (isNear ? 6 : 2);
  return code[next] === PUSH_RBP ? next : jump;
}

/**
 * The compiler leaves a register argument that it has to keep in the place above the return address that the
 * caller has left for it. True if the first two, in %rax and %rbx, are stored there before anything is called,
 * and nothing else ever is.
 */
function keepsArgumentsX86(code: Buffer, starts: readonly number[]): boolean {
  const frame = frameBytes(code, starts);
  if (frame === null) return false;
  const callAt = starts.find((at) => code[at] === 0xe8) ?? code.length;
  return [RAX, RBX].every((register, i) => {
    const place = frame + 8 + 8 * i;
    const stores = starts.filter((at) => storeAt(code, at)?.place === place);
    // What follows the last return is the check's other branch, which stores and loads them again at another depth.
    const [first] = stores;
    return first !== undefined && first < callAt && stores.every((at) => storeAt(code, at)?.register === register);
  });
}

const RAX = 0;
const RBX = 3;

/** From the stack pointer in the function's body to its return address: sub $SIZE,%rsp, and what was pushed. */
function frameBytes(code: Buffer, starts: readonly number[]): number | null {
  for (const [i, at] of starts.entries()) {
    if (i > 6) return null;
    if (code[at] !== 0x48) continue;
    const pushed = starts.slice(0, i).some((before) => code[before] === PUSH_RBP) ? 8 : 0;
    if (code[at + 1] === 0x83 && code[at + 2] === 0xec) return code.readInt8(at + 3) + pushed;
    if (code[at + 1] === 0x81 && code[at + 2] === 0xec) return code.readInt32LE(at + 3) + pushed;
    // add $-0x80,%rsp takes less than sub $0x80,%rsp
    if (code[at + 1] === 0x83 && code[at + 2] === 0xc4) return -code.readInt8(at + 3) + pushed;
  }
  return null;
}

/** mov %REGISTER,PLACE(%rsp), of 64 bits */
function storeAt(code: Buffer, at: number): { register: number; place: number } | null {
  const isStore = (code[at] === 0x48 || code[at] === 0x4c) && code[at + 1] === 0x89 && code[at + 3] === 0x24;
  if (!isStore) return null;
  const modrm = code[at + 2]!;
  const register = ((modrm >> 3) & 7) + (code[at] === 0x4c ? 8 : 0);
  if ((modrm & 0xc7) === 0x44) return { register, place: code.readInt8(at + 4) };
  return (modrm & 0xc7) === 0x84 ? { register, place: code.readInt32LE(at + 4) } : null;
}

const LOAD_STACK_GUARD = 0xf9400b90; // ldr x16, [x28, #16]
const RETURN = 0xd65f03c0; // ret x30

function placesOfArm64(code: Buffer): Places | null {
  const words = Array.from({ length: code.length >> 2 }, (_, i) => code.readUInt32LE(4 * i));
  const returns = words.flatMap((word, i) => (word === RETURN ? [4 * i] : []));
  if (words[0] !== LOAD_STACK_GUARD || code.length % 4 !== 0 || returns.length === 0) return null;
  // b.ls, which ends the check, is one that the kernel can do by itself.
  const jump = words.slice(0, 6).findIndex((word) => (word & 0xff00001f) >>> 0 === 0x54000009);
  return jump === -1 ? null : { entry: 4 * jump, returns, keepsArguments: false };
}
