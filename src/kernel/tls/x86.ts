/**
 * A few instructions of x86-64, those that functions begin with: how long each is, where it leads, and what it leaves
 * in the registers (Intel SDM, volume 2, chapter 2 and appendix A). What is not known here is null, and ends the search.
 */
import { modrmBytes } from "./x86-instruction.ts";

export const RCX = 1;
export const RDX = 2;
export const RSP = 4;
export const RSI = 6;
export const RDI = 7;
export const R8 = 8;

export interface Instruction {
  readonly bytes: number;
  readonly kind: "push" | "jump" | "branch" | "call" | "other";
  /** Of a jump, branch or call: from its own beginning. */
  readonly target: number | null;
  /** The register that is another afterwards. A push changes RSP; a call is left to the caller. */
  readonly writes: number | null;
  /** … and of which register it has all 64 bits; null: of none. RSP also stands for addresses above it. */
  readonly from: number | null;
}

/** The instruction at `at`; null if it is not one of these, or cut off. */
export function instructionAt(code: Buffer, at: number): Instruction | null {
  let next = at;
  if (code[next] === 0x64) next++; // segment FS: the canary of the stack protector
  const prefix = code[next] ?? 0;
  const rex = (prefix & 0xf0) === 0x40 ? prefix : 0;
  if (rex !== 0) next++;
  const opcode = code[next++];
  if (opcode === undefined) return null;
  if (opcode === 0xf3) return isEndBranch(code, at) ? other(4) : null;
  return withoutOperands(code, at, next, opcode, rex) ?? withOperands(code, at, next, opcode, rex);
}

function isEndBranch(code: Buffer, at: number): boolean {
  return code.length >= at + 4 && code.readUInt32BE(at) === 0xf30f1efa;
}

function other(bytes: number, writes: number | null = null, from: number | null = null): Instruction {
  return { bytes, kind: "other", target: null, writes, from };
}

function withoutOperands(code: Buffer, at: number, next: number, opcode: number, rex: number): Instruction | null {
  const register = (opcode & 7) | ((rex & 1) << 3);
  if (opcode >= 0x50 && opcode <= 0x57) return { ...other(next - at, RSP), kind: "push" };
  if (opcode >= 0xb8 && opcode <= 0xbf) return complete(code, at, next + (rex & 8 ? 8 : 4), register);
  if (rex !== 0) return null;
  if (opcode === 0x90) return other(1);
  if (opcode === 0xe8 || opcode === 0xe9) return leading(code, at, next, 4, opcode === 0xe8 ? "call" : "jump");
  if (opcode === 0xeb) return leading(code, at, next, 1, "jump");
  if (opcode >= 0x70 && opcode <= 0x7f) return leading(code, at, next, 1, "branch");
  const second = code[next] ?? 0;
  if (opcode === 0x0f && (second & 0xf0) === 0x80) return leading(code, at, next + 1, 4, "branch");
  return null;
}

function leading(code: Buffer, at: number, next: number, bytes: 1 | 4, kind: Instruction["kind"]): Instruction | null {
  if (next + bytes > code.length) return null;
  const distance = bytes === 1 ? code.readInt8(next) : code.readInt32LE(next);
  return { ...other(next + bytes - at), kind, target: next + bytes - at + distance };
}

function complete(code: Buffer, at: number, end: number, writes: number | null, from: number | null = null) {
  return end > code.length ? null : other(end - at, writes, from);
}

/** Opcodes with a ModRM byte → what becomes of its operands. */
function withOperands(code: Buffer, at: number, next: number, opcode: number, rex: number): Instruction | null {
  const modRm = code[opcode === 0x0f ? next + 1 : next];
  if (modRm === undefined) return null;
  if (opcode === 0x0f) {
    // NOP of several bytes, MOVZX and MOVSX
    const second = code[next]!;
    const end = next + 1 + modrmBytes(code, next + 1);
    if (second === 0x1f) return complete(code, at, end, null);
    return [0xb6, 0xb7, 0xbe, 0xbf].includes(second) ? complete(code, at, end, registerOf(modRm, rex)) : null;
  }
  const operation = (modRm >> 3) & 7;
  const end = next + modrmBytes(code, next);
  const isMemory = modRm < 0xc0;
  const isWhole = (rex & 8) !== 0;
  const memoryOrRegister = isMemory ? null : (modRm & 7) | ((rex & 1) << 3);
  switch (opcode) {
    case 0x38: // CMP
    case 0x39:
    case 0x3a:
    case 0x3b:
    case 0x84: // TEST
    case 0x85:
      return complete(code, at, end, null);
    case 0x01: // ADD, OR, AND, SUB, XOR
    case 0x09:
    case 0x21:
    case 0x29:
    case 0x31:
      return complete(code, at, end, memoryOrRegister);
    case 0x03:
    case 0x0b:
    case 0x23:
    case 0x2b:
    case 0x33:
    case 0x8d: // LEA
      return complete(code, at, end, registerOf(modRm, rex), opcode === 0x8d ? stackOf(code, next, modRm, rex) : null);
    case 0x63: // MOVSXD, MOV
    case 0x8b:
      return complete(code, at, end, registerOf(modRm, rex), isWhole ? memoryOrRegister : null);
    case 0x89:
      return complete(code, at, end, memoryOrRegister, isWhole && !isMemory ? registerOf(modRm, rex) : null);
    case 0x80: // CMP, and with 83 and 81 the others, with an immediate operand
      return operation === 7 ? complete(code, at, end + 1, null) : null;
    case 0x83:
      return complete(code, at, end + 1, operation === 7 ? null : memoryOrRegister);
    case 0x81:
      return complete(code, at, end + 4, operation === 7 ? null : memoryOrRegister);
    case 0xc7:
      return operation === 0 ? complete(code, at, end + 4, memoryOrRegister) : null;
    case 0xf6:
      return operation === 0 ? complete(code, at, end + 1, null) : null;
    case 0xf7:
      return operation === 0 ? complete(code, at, end + 4, null) : null;
    default:
      return null;
  }
}

function registerOf(modRm: number, rex: number): number {
  return ((modRm >> 3) & 7) | ((rex & 4) << 1);
}

/** RSP if an address relative to it is taken. */
function stackOf(code: Buffer, at: number, modRm: number, rex: number): number | null {
  return (modRm & 7) === 4 && modRm < 0xc0 && code[at + 1] === 0x24 && (rex & 3) === 0 ? RSP : null;
}
