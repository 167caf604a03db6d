/** What an instruction of a function works on, and which one before it has made that. */
import type { Body, Located } from "./x86-code.ts";

/** 0 if it has none. */
export function modrmOf(body: Body, { address, modrmAt }: Located): number {
  return modrmAt === null ? 0 : body.code[address + modrmAt - body.start]!;
}

/** The register that a jump leads to; null: it is in memory. */
export function registerOf(body: Body, instruction: Located): number | null {
  const modrm = modrmOf(body, instruction);
  return modrm < 0xc0 ? null : (modrm & 7) | ((instruction.rex & 1) << 3);
}

/** How far back the instruction is looked for that makes a pointer. */
const LOOK_BACK = 16;
const TO_REGISTER = new Set([0x03, 0x63, 0x8b, 0x8d]); // ADD, MOVSXD, MOV, LEA
const TO_OPERAND = new Set([0x01, 0x29, 0x31, 0x89]); // ADD, SUB, XOR, MOV

/**
 * The last instruction before that one to write the register, of those that load, move and add. Null: none is near, or
 * it is another that writes it: POP, a MOV of a number, or a call, after which nobody knows what these registers hold.
 */
export function writerOf(body: Body, index: number, register: number): Located | null {
  for (let i = index - 1; i >= 0 && i >= index - LOOK_BACK; i--) {
    const instruction = body.instructions[i]!;
    if (isOtherWriter(body, instruction, register)) return null;
    if (instruction.modrmAt === null) continue;
    const inRegister = ((modrmOf(body, instruction) >> 3) & 7) | ((instruction.rex & 4) << 1);
    const isWriting = TO_REGISTER.has(instruction.opcode)
      ? inRegister === register
      : TO_OPERAND.has(instruction.opcode) && registerOf(body, instruction) === register;
    if (isWriting) return instruction;
  }
  return null;
}

/** RAX, RCX, RDX, RSI, RDI, R8 to R11: a function need not leave them as they were. */
const CHANGED_BY_CALLS = new Set([0, 1, 2, 6, 7, 8, 9, 10, 11]);

function isOtherWriter(body: Body, instruction: Located, register: number): boolean {
  const { opcode, rex, call } = instruction;
  const isCallByPointer = opcode === 0xff && (modrmOf(body, instruction) & 0x30) === 0x10; // FF /2, and /3 far
  if (call !== null || isCallByPointer) return CHANGED_BY_CALLS.has(register);
  const isInOpcode = (opcode >= 0x58 && opcode <= 0x5f) || (opcode >= 0xb8 && opcode <= 0xbf);
  return isInOpcode && ((opcode & 7) | ((rex & 1) << 3)) === register;
}
