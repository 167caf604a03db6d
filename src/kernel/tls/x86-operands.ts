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

/** The last instruction before that one to write the register, of those that load, move and add; null: none is near. */
export function writerOf(body: Body, index: number, register: number): Located | null {
  for (let i = index - 1; i >= 0 && i >= index - LOOK_BACK; i--) {
    const instruction = body.instructions[i]!;
    if (instruction.modrmAt === null) continue;
    const inRegister = ((modrmOf(body, instruction) >> 3) & 7) | ((instruction.rex & 4) << 1);
    const isWriting = TO_REGISTER.has(instruction.opcode)
      ? inRegister === register
      : TO_OPERAND.has(instruction.opcode) && registerOf(body, instruction) === register;
    if (isWriting) return instruction;
  }
  return null;
}
