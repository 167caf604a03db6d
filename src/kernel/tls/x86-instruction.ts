/**
 * Where the instructions of x86-64 begin and end, and which of them jump, call or return: as much as it takes to place
 * a breakpoint at no other byte than the first of one (Intel SDM, volume 2, chapter 2 and appendix A). What is not
 * known for sure is not decoded. All positions are from the beginning of the instruction.
 */

export interface Instruction {
  readonly bytes: number;
  /** With what comes before it: `0x0f1f`. Of those with VEX or EVEX, -1. */
  readonly opcode: number;
  readonly opcodeAt: number;
  /** The REX prefix; 0 if there is none. */
  readonly rex: number;
  /** Where its operands are told; null: it has none of that kind. */
  readonly modrmAt: number | null;
  readonly isReturn: boolean;
  /** Where a relative jump leads; null for all else, calls included. */
  readonly jump: number | null;
  /** Where a relative call leads. */
  readonly call: number | null;
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
  const prefixes = prefixesAt(code, at);
  const found = formAt(code, prefixes.end);
  if (found === null) return null;
  const { form, opcode, end } = found;
  const isLeading = isJump(opcode) || opcode === CALL;
  if (isLeading && prefixes.isShort) return null; // AMD and Intel disagree about its length
  if (opcode === 0x8f && (code[end]! & 0x38) !== 0) return null; // XOP
  const immediate = immediateOf(form, opcode, code[end]!);
  const next = end + (form.hasModrm ? modrmBytes(code, end) : 0) + immediateBytes(immediate, prefixes);
  const bytes = next - at;
  if (next > code.length || bytes > MAX_BYTES) return null;
  const target = isLeading ? bytes + displacement(code, next, immediate) : null;
  return {
    bytes,
    opcode,
    opcodeAt: prefixes.end - at,
    rex: prefixes.rex,
    modrmAt: form.hasModrm ? end - at : null,
    isReturn: opcode === 0xc3 || opcode === 0xc2,
    jump: opcode === CALL ? null : target,
    call: opcode === CALL ? target : null,
  };
}

const CALL = 0xe8;
/** Not told apart. */
const VECTOR = -1;

interface Prefixes {
  /** Of operand size and address size: 66 and 67. */
  readonly isShort: boolean;
  readonly isShortAddress: boolean;
  readonly rex: number;
  /** Where the opcode is. */
  readonly end: number;
}

function prefixesAt(code: Uint8Array, at: number): Prefixes {
  let end = at;
  let [isShort, isShortAddress] = [false, false];
  for (; PREFIXES.has(code[end]!); end++) {
    isShort ||= code[end] === 0x66;
    isShortAddress ||= code[end] === 0x67;
  }
  const rex = (code[end]! & 0xf0) === 0x40 ? code[end++]! : 0;
  return { isShort, isShortAddress, rex, end };
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
  const opcode = 0x0f00 | second;
  if (second === 0x38) return withForm(MODRM, (opcode << 8) | code[at + 2]!, at + 3);
  if (second === 0x3a) return withForm(MODRM_BYTE, (opcode << 8) | code[at + 2]!, at + 3);
  return withForm(TWO_BYTES[second], opcode, at + 2);
}

/** `map`: 1 what 0F begins, 2 0F 38, 3 0F 3A. */
function vectorOpcode(code: Uint8Array, at: number, map: number): Opcode | null {
  const end = at + 1;
  if (map === 2) return withForm(MODRM, VECTOR, end);
  if (map === 3) return withForm(MODRM_BYTE, VECTOR, end);
  if (map !== 1) return null;
  if (code[at] === 0x77) return withForm(NONE, VECTOR, end); // VZEROUPPER
  return withForm(VECTOR_BYTE.has(code[at]!) ? MODRM_BYTE : MODRM, VECTOR, end);
}

function withForm(form: Form | null | undefined, opcode: number, end: number): Opcode | null {
  return form ? { form, opcode, end } : null;
}

function isJump(opcode: number): boolean {
  const isConditional = (opcode & 0xfff0) === 0x70 || (opcode & 0xfff0) === 0x0f80;
  return isConditional || (opcode >= 0xe0 && opcode <= 0xe3) || opcode === 0xe9 || opcode === 0xeb;
}

/** TEST, alone in its group, has one. */
function immediateOf(form: Form, opcode: number, modrm: number): Immediate {
  const isTest = (opcode === 0xf6 || opcode === 0xf7) && (modrm & 0x30) === 0;
  if (!isTest) return form.immediate;
  return opcode === 0xf6 ? "b" : "z";
}

function displacement(code: Uint8Array, end: number, immediate: Immediate): number {
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  return immediate === "b" ? view.getInt8(end - 1) : view.getInt32(end - 4, true);
}

/** ModR/M, SIB and displacement. */
function modrmBytes(code: Uint8Array, at: number): number {
  const modrm = code[at]!;
  const [mod, rm] = [modrm >> 6, modrm & 7];
  if (mod === 3) return 1;
  const hasSib = rm === 4;
  const base = hasSib ? code[at + 1]! & 7 : rm;
  const displacementBytes = mod === 1 ? 1 : mod === 2 || base === 5 ? 4 : 0;
  return 1 + Number(hasSib) + displacementBytes;
}

function immediateBytes(immediate: Immediate, { isShort, isShortAddress, rex }: Prefixes): number {
  const isWide = (rex & 8) !== 0;
  const z = isShort && !isWide ? 2 : 4;
  const bytes = { "": 0, b: 1, w: 2, z, wb: 3, v: isWide ? 8 : z, address: isShortAddress ? 4 : 8 };
  return bytes[immediate];
}
