/**
 * Where the instructions of x86-64 begin and end, and which of them jump or return: as much as it takes to place a
 * breakpoint at no other byte than the first of one (Intel SDM, volume 2, chapter 2 and appendix A). What is not
 * known for sure is not decoded.
 */

export interface Instruction {
  readonly bytes: number;
  readonly isReturn: boolean;
  /** Of a relative jump, from the beginning of the instruction; null for all else, calls included. */
  readonly jump: number | null;
}

const MAX_BYTES = 15;

/** An operand that follows the opcode and what belongs to it. `z`: 2 or 4 bytes, by the operand size. */
type Immediate = "" | "b" | "w" | "z" | "wb" | "v" | "address";

interface Form {
  readonly hasModrm: boolean;
  readonly immediate: Immediate;
}

const NONE: Form = { hasModrm: false, immediate: "" };
const MODRM: Form = { hasModrm: true, immediate: "" };
const MODRM_BYTE: Form = { hasModrm: true, immediate: "b" };

const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);

/** One-byte opcodes, 16 in a line: m ModR/M; n nothing; b, w, z immediates; M, Z the same with ModR/M; . not decoded. */
const ONE_BYTE = table(`
  mmmmbz..mmmmbz.. mmmmbz..mmmmbz.. mmmmbz..mmmmbz.. mmmmbz..mmmmbz..
  ................ nnnnnnnnnnnnnnnn ...m....zZbMnnnn bbbbbbbbbbbbbbbb
  MZ.Mmmmmmmmmmmmm nnnnnnnnnn.nnnnn aaaannnnbznnnnnn bbbbbbbbvvvvvvvv
  MMwn..MZ?nwnnb.n mmmm...nmmmmmmmm bbbbbbbbzz.bnnnn .n..nnmmnnnnnnmm`);

/** After 0F. */
const TWO_BYTES = table(`
  mmmm.nnnnn.n.mn. mmmmmmmmmmmmmmmm mmmm....mmmmmmmm nnnnnn..........
  mmmmmmmmmmmmmmmm mmmmmmmmmmmmmmmm mmmmmmmmmmmmmmmm MMMMmmmn....mmmm
  zzzzzzzzzzzzzzzz mmmmmmmmmmmmmmmm nnnmMm..nnnmMmmm mmmmmmmmmmMmmmmm
  mmMmMMMmnnnnnnnn mmmmmmmmmmmmmmmm mmmmmmmmmmmmmmmm mmmmmmmmmmmmmmm.`);

/** Of those in the table after 0F, with VEX or EVEX, that have an immediate. */
const VECTOR_BYTE = new Set([0x70, 0x71, 0x72, 0x73, 0xc2, 0xc4, 0xc5, 0xc6]);

function table(text: string): (Form | null)[] {
  const forms: Record<string, Form> = {
    n: NONE,
    m: MODRM,
    M: MODRM_BYTE,
    Z: { hasModrm: true, immediate: "z" },
    b: { hasModrm: false, immediate: "b" },
    w: { hasModrm: false, immediate: "w" },
    z: { hasModrm: false, immediate: "z" },
    v: { hasModrm: false, immediate: "v" },
    a: { hasModrm: false, immediate: "address" },
    "?": { hasModrm: false, immediate: "wb" },
  };
  return [...text.replace(/\s/g, "")].map((letter) => forms[letter] ?? null);
}

/** The instruction that begins at `at`; null if it is not known, or cut off. */
export function decodeX86(code: Uint8Array, at: number): Instruction | null {
  let next = at;
  let [isShort, isShortAddress, isWide] = [false, false, false];
  for (; PREFIXES.has(code[next]!); next++) {
    isShort ||= code[next] === 0x66;
    isShortAddress ||= code[next] === 0x67;
  }
  if ((code[next]! & 0xf0) === 0x40) isWide = (code[next++]! & 8) !== 0; // REX
  const opcodeAt = next;
  const found = formAt(code, opcodeAt);
  if (found === null) return null;
  const { form, opcode } = found;
  const isRelative = isJump(code, opcodeAt) || (opcode === 0xe8 && opcode === code[opcodeAt]);
  if (isRelative && isShort) return null; // AMD and Intel disagree about its length
  next = found.end;
  const modrm = code[next]!;
  if (form.hasModrm) next += modrmBytes(code, next);
  let immediate = form.immediate;
  // TEST, alone in its group, has one.
  if ((opcode === 0xf6 || opcode === 0xf7) && opcodeAt + 1 === found.end && (modrm & 0x30) === 0)
    immediate = opcode === 0xf6 ? "b" : "z";
  if (opcode === 0x8f && opcodeAt + 1 === found.end && (modrm & 0x38) !== 0) return null; // XOP
  next += immediateBytes(immediate, isShort, isWide, isShortAddress);
  const bytes = next - at;
  if (next > code.length || bytes > MAX_BYTES) return null;
  const isReturn = opcodeAt + 1 === found.end && (code[opcodeAt] === 0xc3 || code[opcodeAt] === 0xc2);
  return { bytes, isReturn, jump: isJump(code, opcodeAt) ? bytes + displacement(code, next, immediate) : null };
}

interface Opcode {
  readonly form: Form;
  readonly opcode: number;
  /** Where what follows it begins. */
  readonly end: number;
}

function formAt(code: Uint8Array, at: number): Opcode | null {
  const byte = code[at];
  if (byte === undefined) return null;
  if (byte === 0xc5) return vectorOpcode(code, at + 2, 1);
  if (byte === 0xc4) return vectorOpcode(code, at + 3, code[at + 1]! & 0x1f);
  if (byte === 0x62) return vectorOpcode(code, at + 4, code[at + 1]! & 7);
  if (byte !== 0x0f) return withForm(ONE_BYTE[byte], byte, at + 1);
  const second = code[at + 1]!;
  if (second === 0x38) return withForm(MODRM, code[at + 2]!, at + 3);
  if (second === 0x3a) return withForm(MODRM_BYTE, code[at + 2]!, at + 3);
  return withForm(TWO_BYTES[second], second, at + 2);
}

/** `map`: 1 what 0F begins, 2 0F 38, 3 0F 3A. */
function vectorOpcode(code: Uint8Array, at: number, map: number): Opcode | null {
  const opcode = code[at]!;
  if (map === 2) return withForm(MODRM, opcode, at + 1);
  if (map === 3) return withForm(MODRM_BYTE, opcode, at + 1);
  if (map !== 1) return null;
  if (opcode === 0x77) return withForm(NONE, opcode, at + 1); // VZEROUPPER
  return withForm(VECTOR_BYTE.has(opcode) ? MODRM_BYTE : MODRM, opcode, at + 1);
}

function withForm(form: Form | null | undefined, opcode: number, end: number): Opcode | null {
  return form ? { form, opcode, end } : null;
}

function isJump(code: Uint8Array, at: number): boolean {
  const byte = code[at]!;
  if (byte === 0x0f) return (code[at + 1]! & 0xf0) === 0x80;
  return (byte & 0xf0) === 0x70 || (byte >= 0xe0 && byte <= 0xe3) || byte === 0xe9 || byte === 0xeb;
}

function displacement(code: Uint8Array, end: number, immediate: Immediate): number {
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  return immediate === "b" ? view.getInt8(end - 1) : view.getInt32(end - 4, true);
}

/** ModR/M, SIB and displacement. */
export function modrmBytes(code: Uint8Array, at: number): number {
  const modrm = code[at]!;
  const [mod, rm] = [modrm >> 6, modrm & 7];
  if (mod === 3) return 1;
  const hasSib = rm === 4;
  const base = hasSib ? code[at + 1]! & 7 : rm;
  const displacementBytes = mod === 1 ? 1 : mod === 2 || base === 5 ? 4 : 0;
  return 1 + Number(hasSib) + displacementBytes;
}

function immediateBytes(immediate: Immediate, isShort: boolean, isWide: boolean, isShortAddress: boolean): number {
  const z = isShort && !isWide ? 2 : 4;
  const bytes = { "": 0, b: 1, w: 2, z, wb: 3, v: isWide ? 8 : z, address: isShortAddress ? 4 : 8 };
  return bytes[immediate];
}
