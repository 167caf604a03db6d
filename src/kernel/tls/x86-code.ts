/** The functions of a file for x86-64, instruction by instruction. Addresses are those that the file says. */
import { type ElfFile, EM_X86_64 } from "./elf.ts";
import { Relocations } from "./relocations.ts";
import { type Extent, UnwindTable } from "./unwind-table.ts";
import { decodeX86, type Instruction } from "./x86-instruction.ts";

export interface Located extends Instruction {
  readonly address: number;
}

export interface Body extends Extent {
  readonly code: Buffer;
  readonly instructions: readonly Located[];
}

/** Of one function; OpenSSL's state machine has 3 KB. */
const MAX_BODY_BYTES = 1 << 16;
const CHUNK_BYTES = 1 << 20;
const END_BRANCH = 0xf30f1efa;

export class X86Code {
  readonly elf: ElfFile;
  /** Undefined: not read so far. */
  private unwind: UnwindTable | null | undefined;
  private knownRelocations: Relocations | undefined;

  /** Null: the file is for another machine. */
  static of(elf: ElfFile): X86Code | null {
    return elf.machine === EM_X86_64 ? new X86Code(elf) : null;
  }

  private constructor(elf: ElfFile) {
    this.elf = elf;
  }

  get relocations(): Relocations {
    this.knownRelocations ??= new Relocations(this.elf);
    return this.knownRelocations;
  }

  /** The function that has this address; null if it is not known for sure what its instructions are. */
  body(address: number): Body | null {
    if (this.unwind === undefined) this.unwind = UnwindTable.of(this.elf);
    const extent = this.unwind?.extentAt(address) ?? null;
    if (extent === null || extent.end - extent.start > MAX_BODY_BYTES) return null;
    if (this.elf.fileOffset(extent.start) === undefined || this.elf.fileOffset(extent.end - 1) === undefined)
      return null;
    const code = this.elf.bytesAt(extent.start, extent.end - extent.start);
    const instructions = code === null ? null : decodeAll(code, extent.start);
    return code === null || instructions === null ? null : { ...extent, code, instructions };
  }

  /** Where a stub of the procedure linkage table leads to, if that is in the same file; null: it is none of these. */
  stubTarget(address: number): number | null {
    const stub = this.elf.bytesAt(address, 16);
    if (stub === null) return null;
    const at = stub.readUInt32BE(0) === END_BRANCH ? 4 : 0;
    const jump = at + Number(stub[at] === 0xf2); // BND
    if (stub[jump] !== 0xff || stub[jump + 1] !== 0x25) return null;
    return this.relocations.storedAt(address + jump + 6 + stub.readInt32LE(jump + 2));
  }

  /** Where four bytes stand that, taken as relative to their end, lead to `target`: calls, jumps, and by chance. */
  references(target: number): number[] {
    const found: number[] = [];
    for (const { isCode, address, bytes } of this.elf.segments) {
      for (let at = 0; isCode && at < bytes; at += CHUNK_BYTES) {
        const chunk = this.elf.bytesAt(address + at, Math.min(CHUNK_BYTES + 3, bytes - at));
        if (chunk !== null) collectReferences(chunk, address + at, target, found);
      }
    }
    return found;
  }
}

function decodeAll(code: Buffer, start: number): Located[] | null {
  const instructions: Located[] = [];
  for (let at = 0; at < code.length; ) {
    const instruction = decodeX86(code, at);
    if (instruction === null) return null;
    instructions.push({ ...instruction, address: start + at });
    at += instruction.bytes;
  }
  return instructions;
}

/** Sixty megabytes are looked through for Node, so the word is moved on byte by byte. */
function collectReferences(code: Buffer, address: number, target: number, found: number[]): void {
  let word = 0;
  for (let at = -3, wanted = target - address - 1; at + 3 < code.length; at++, wanted--) {
    word = (word >>> 8) | (code[at + 3]! << 24);
    if (word === wanted && at >= 0) found.push(address + at);
  }
}
