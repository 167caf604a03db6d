/**
 * Where a switch of x86-64 leads: `cmp $LAST,%index; ja default`, and then a jump by a table, of addresses or of
 * distances from the table itself. Some of its cases may lie where the compiler has moved what is rarely run.
 */
import type { Body, Located, X86Code } from "./x86-code.ts";
import { modrmOf, registerOf, writerOf } from "./x86-operands.ts";

/** The targets of the indirect jump; null if it is not understood as a switch. */
export function switchTargets(code: X86Code, body: Body, index: number): number[] | null {
  const count = caseCount(body, index);
  if (count === null) return null;
  const register = registerOf(body, body.instructions[index]!);
  const targets = register === null ? byAddresses(code, body, index, count) : byDistances(code, body, index, count);
  return targets?.every((target) => code.elf.fileOffset(target) !== undefined) ? targets : null;
}

/** How far back the comparison is looked for. */
const MAX_BETWEEN = 12;
const MAX_CASES = 4096;

/** From the comparison on, the code must be one that is entered at its beginning only. */
function caseCount({ code, start, instructions }: Body, index: number): number | null {
  for (let i = index - 1; i > 0 && i >= index - MAX_BETWEEN; i--) {
    const { opcode, jump, call, isReturn } = instructions[i]!;
    if (opcode === 0x77 || opcode === 0x0f87) {
      const last = comparedWith(code, start, instructions[i - 1]!);
      const [from, to] = [instructions[i]!.address, instructions[index]!.address];
      const isEntered = instructions.some((one) => {
        const target = one.jump === null ? null : one.address + one.jump;
        return target !== null && target >= from && target <= to;
      });
      return last === null || last >= MAX_CASES || isEntered ? null : last + 1;
    }
    if (jump !== null || call !== null || isReturn) return null;
  }
  return null;
}

/** CMP $LAST,…; null: it is another instruction. */
function comparedWith(code: Buffer, start: number, { address, bytes, opcode, modrmAt }: Located): number | null {
  const end = address - start + bytes;
  if (opcode === 0x3c) return code[end - 1]!;
  if (opcode === 0x3d) return code.readUInt32LE(end - 4);
  if (modrmAt === null || (code[address - start + modrmAt]! & 0x38) !== 0x38) return null;
  if (opcode === 0x80 || opcode === 0x83) return code[end - 1]!;
  return opcode === 0x81 ? code.readUInt32LE(end - 4) : null;
}

/** jmp *TABLE(,%index,8) */
function byAddresses({ elf }: X86Code, body: Body, index: number, count: number): number[] | null {
  const { address, bytes, modrmAt } = body.instructions[index]!;
  const at = address - body.start + modrmAt!;
  const isTable = (body.code[at]! & 0xc7) === 4 && (body.code[at + 1]! & 0xc7) === 0xc5;
  const table = isTable ? elf.bytesAt(body.code.readInt32LE(address - body.start + bytes - 4), 8 * count) : null;
  return table && Array.from({ length: count }, (_, i) => Number(table.readBigUInt64LE(8 * i)));
}

/** lea TABLE(%rip),%base; movslq (%base,%index,4),%register; add %base,%register; jmp *%register */
function byDistances(code: X86Code, body: Body, index: number, count: number): number[] | null {
  const add = writerOf(body, index, registerOf(body, body.instructions[index]!)!);
  if (add === null || (add.opcode !== 0x01 && add.opcode !== 0x03)) return null;
  const addAt = body.instructions.indexOf(add);
  const modrm = modrmOf(body, add);
  const operands = [((modrm >> 3) & 7) | ((add.rex & 4) << 1), (modrm & 7) | ((add.rex & 1) << 3)];
  const bases = operands.flatMap((operand) => addressIn(body, addAt, operand) ?? []);
  const table = bases.length === 1 ? code.elf.bytesAt(bases[0]!, 4 * count) : null;
  return table && Array.from({ length: count }, (_, i) => bases[0]! + table.readInt32LE(4 * i));
}

/** lea ADDRESS(%rip),%register */
function addressIn(body: Body, index: number, register: number): number | null {
  const lea = writerOf(body, index, register);
  if (lea?.opcode !== 0x8d || (modrmOf(body, lea) & 0xc7) !== 5) return null;
  const end = lea.address + lea.bytes;
  return end + body.code.readInt32LE(end - body.start - 4);
}
