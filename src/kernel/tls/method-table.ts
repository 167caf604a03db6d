/**
 * Where OpenSSL goes on from a function by a pointer: its methods are tables of functions (SSL_METHOD), and what
 * SSL_do_handshake ends in was taken from one of them by SSL_set_accept_state or SSL_set_connect_state. Which entry of
 * the table it is, and where a session keeps it, is read from the code of these functions.
 */
import type { PointerJump, Resolve } from "./returns.ts";
import type { Body, Located, X86Code } from "./x86-code.ts";
import { modrmOf, writerOf } from "./x86-operands.ts";

/** Functions that answer the table of a method. */
export const METHODS: readonly string[] = ["TLS_method", "TLS_client_method", "TLS_server_method"];
/** Functions that take the pointer from a table into the session. */
export const SETTERS: readonly string[] = ["SSL_set_accept_state", "SSL_set_connect_state"];

/**
 * `addressOf`: of the functions above, as far as the file has them. `from`: what the function has taken the pointer
 * out of, the table itself or the session.
 */
export function methodTargets(
  code: X86Code,
  addressOf: (name: string) => number | undefined,
  from: "table" | "session",
): Resolve {
  const bodyOf = (name: string) => {
    const address = addressOf(name);
    return address === undefined ? null : code.body(address);
  };
  return (jump) => {
    const place = loadedFrom(jump);
    if (place === null) return null;
    const entries = from === "table" ? [place] : SETTERS.map((name) => entryKeptAt(bodyOf(name), place));
    const tables = METHODS.filter((name) => addressOf(name) !== undefined).map((name) => tableOf(bodyOf(name)));
    const targets = tables.flatMap((table) => entries.map((entry) => pointerAt(code, table, entry)));
    return targets.length === 0 || targets.includes(null) ? null : (targets as number[]);
  };
}

/** LEA TABLE(%rip),%rax or MOV $TABLE,%eax, and RET. */
function tableOf(body: Body | null): number | null {
  if (body === null) return null;
  const { code, start, instructions } = body;
  const [load, end] = instructions.filter(({ opcode }) => opcode !== 0x0f1e && opcode !== 0x55);
  if (load === undefined || !end?.isReturn) return null;
  const operand = load.address - start + load.bytes - 4;
  if (load.opcode === 0xb8 && load.bytes === 5) return code.readUInt32LE(operand);
  const isRelative = load.opcode === 0x8d && code[operand - 1] === 5;
  return isRelative ? load.address + load.bytes + code.readInt32LE(operand) : null;
}

/** MOV PLACE(%…),%REGISTER before a jump to the register. */
function loadedFrom({ body, index, register }: PointerJump): number | null {
  const load = writerOf(body, index, register);
  return load?.opcode === 0x8b ? displacementOf(body, load) : null;
}

/** MOV ENTRY(%…),%REGISTER and then MOV %REGISTER,PLACE(%…); null: it is not seen to do that once. */
function entryKeptAt(body: Body | null, place: number): number | null {
  const entries = (body?.instructions ?? []).flatMap((store, index) => {
    if (store.opcode !== 0x89 || !isKeptAt(body!, index, place)) return [];
    const load = writerOf(body!, index, ((modrmOf(body!, store) >> 3) & 7) | ((store.rex & 4) << 1));
    return load?.opcode === 0x8b ? [displacementOf(body!, load)] : [null];
  });
  return entries.length === 1 ? entries[0]! : null;
}

/** The compiler may have moved the pointer to the session before: ADD $DISTANCE,%… */
function isKeptAt(body: Body, index: number, place: number): boolean {
  const store = body.instructions[index]!;
  const displacement = displacementOf(body, store);
  if (displacement === null || displacement === place) return displacement === place;
  const base = (modrmOf(body, store) & 7) | ((store.rex & 1) << 3);
  return body.instructions.slice(Math.max(0, index - MAX_BETWEEN), index).some((add) => {
    const isAdd = add.opcode === 0x81 && (modrmOf(body, add) | ((add.rex & 1) << 3)) === (0xc0 | base);
    return isAdd && displacement + body.code.readInt32LE(add.address - body.start + add.bytes - 4) === place;
  });
}

const MAX_BETWEEN = 6;

/** Of an operand in memory, relative to a register that is not the stack pointer; null: it is another. */
function displacementOf({ code, start }: Body, { address, modrmAt, rex }: Located): number | null {
  if (modrmAt === null) return null;
  const at = address - start + modrmAt;
  const [mode, base] = [code[at]! >> 6, code[at]! & 7];
  // With a SIB byte, of which only %r12 alone is one of these.
  if (base === 4 && (code[at + 1] !== 0x24 || (rex & 3) !== 1)) return null;
  const displacement = at + (base === 4 ? 2 : 1);
  if (mode === 1) return code.readInt8(displacement);
  return mode === 2 ? code.readInt32LE(displacement) : null;
}

/** A pointer to code in a table, as it is once the file is loaded; null if there is none. */
function pointerAt({ elf, relocations }: X86Code, table: number | null, entry: number | null): number | null {
  if (table === null || entry === null) return null;
  const pointer = relocations.storedAt(table + entry) ?? Number(elf.bytesAt(table + entry, 8)?.readBigUInt64LE() ?? 0);
  return elf.fileOffset(pointer) === undefined ? null : pointer;
}
