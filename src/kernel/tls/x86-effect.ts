/**
 * What registers hold after an instruction of x86-64, of those that functions begin with. What an instruction that is
 * not known here leaves in them is not known either: it is null, and ends the search.
 */
import { decodeX86, type Instruction } from "./x86-instruction.ts";

export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RSP = 4;
export const RSI = 6;
export const RDI = 7;
export const R8 = 8;

export interface Change {
  /** The register that is another afterwards. A push changes RSP; a call is left to the caller. */
  readonly writes: number | null;
  /** … and of which register it has all 64 bits; null: of none. RSP also stands for addresses above it. */
  readonly from: number | null;
}

export interface Effect extends Change {
  readonly bytes: number;
  readonly kind: "push" | "jump" | "branch" | "call" | "other";
  /** Of a jump, branch or call: from its own beginning. */
  readonly target: number | null;
}

const NOTHING: Change = { writes: null, from: null };

/** Of the instruction at `at`; null if it is not one of these, or cut off. */
export function effectAt(code: Buffer, at: number): Effect | null {
  const instruction = decodeX86(code, at);
  if (instruction === null) return null;
  const { bytes, jump, call, modrmAt } = instruction;
  if (isEndBranch(code, at, bytes)) return { ...NOTHING, bytes, kind: "other", target: null };
  if (!hasPlainPrefixes(code, at, instruction)) return null;
  const kind = kindOf(instruction);
  const change = modrmAt === null ? changeOf(instruction) : changeOfOperands(code, at + modrmAt, instruction);
  return kind === null || change === null ? null : { ...change, bytes, kind, target: jump ?? call };
}

function isEndBranch(code: Buffer, at: number, bytes: number): boolean {
  return bytes === 4 && code.readUInt32BE(at) === 0xf30f1efa;
}

/** REX, and segment FS: the canary of the stack protector. */
function hasPlainPrefixes(code: Buffer, at: number, { opcodeAt, rex }: Instruction): boolean {
  const others = opcodeAt - Number(rex !== 0);
  return others === 0 || (others === 1 && code[at] === 0x64);
}

function kindOf({ opcode, rex, jump, call }: Instruction): Effect["kind"] | null {
  if (isPush(opcode)) return "push";
  if (jump === null && call === null) return "other";
  if (rex !== 0) return null;
  if (call !== null) return "call";
  if (opcode === 0xe9 || opcode === 0xeb) return "jump";
  return opcode >= 0xe0 && opcode <= 0xe3 ? null : "branch"; // LOOP and JRCXZ
}

function isPush(opcode: number): boolean {
  return opcode >= 0x50 && opcode <= 0x57;
}

/** By the opcode alone. */
function changeOf({ opcode, rex, jump, call }: Instruction): Change | null {
  if (jump !== null || call !== null) return NOTHING;
  if (isPush(opcode)) return change(RSP);
  if (opcode >= 0xb8 && opcode <= 0xbf) return change((opcode & 7) | ((rex & 1) << 3)); // MOV
  return opcode === 0x90 && rex === 0 ? NOTHING : null;
}

function change(writes: number | null, from: number | null = null): Change {
  return { writes, from };
}

/** Opcodes with a ModRM byte → what becomes of its operands. */
function changeOfOperands(code: Buffer, at: number, { opcode, rex }: Instruction): Change | null {
  const modrm = code[at]!;
  const register = ((modrm >> 3) & 7) | ((rex & 4) << 1);
  const operation = (modrm >> 3) & 7;
  const isMemory = modrm < 0xc0;
  const isWhole = (rex & 8) !== 0;
  const memoryOrRegister = isMemory ? null : (modrm & 7) | ((rex & 1) << 3);
  if ((opcode & 0xfff0) === 0x0f40) return change(register); // CMOVcc
  switch (opcode) {
    case 0x38: // CMP
    case 0x39:
    case 0x3a:
    case 0x3b:
    case 0x84: // TEST
    case 0x85:
    case 0x0f1f: // NOP of several bytes
      return NOTHING;
    case 0x01: // ADD, OR, AND, SUB, XOR
    case 0x09:
    case 0x21:
    case 0x29:
    case 0x31:
      return change(memoryOrRegister);
    case 0x03:
    case 0x0b:
    case 0x23:
    case 0x2b:
    case 0x33:
    case 0x0fb6: // MOVZX, MOVSX
    case 0x0fb7:
    case 0x0fbe:
    case 0x0fbf:
      return change(register);
    case 0x8d: // LEA
      return change(register, isAboveStack(code, at, rex) ? RSP : null);
    case 0x63: // MOVSXD, MOV
    case 0x8b:
      return change(register, isWhole ? memoryOrRegister : null);
    case 0x89:
      return change(memoryOrRegister, isWhole && !isMemory ? register : null);
    case 0x80: // CMP, and with 83 and 81 the others, with an immediate operand
      return operation === 7 ? NOTHING : null;
    case 0x81:
    case 0x83:
      return operation === 7 ? NOTHING : change(memoryOrRegister);
    case 0xc7: // MOV
      return operation === 0 ? change(memoryOrRegister) : null;
    case 0xf6: // TEST
    case 0xf7:
      return operation === 0 ? NOTHING : null;
    default:
      return null;
  }
}

/** Whether the operand is an address relative to RSP. */
function isAboveStack(code: Buffer, at: number, rex: number): boolean {
  const modrm = code[at]!;
  return (modrm & 7) === 4 && modrm < 0xc0 && code[at + 1] === 0x24 && (rex & 3) === 0;
}
