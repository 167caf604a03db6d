/** Addresses that the dynamic linker stores in the data of a file for x86-64 (its psABI, 4.4). */
import { type ElfFile, type Section, SYMBOL_BYTES } from "./elf.ts";

const RELOCATION_BYTES = 24;
const MAX_TABLE_BYTES = 16 << 20;
const R_X86_64_RELATIVE = 8;

interface Table {
  readonly relocations: Buffer;
  readonly symbols: Section | undefined;
}

export class Relocations {
  private readonly elf: ElfFile;
  private readonly tables: readonly Table[];

  constructor(elf: ElfFile) {
    this.elf = elf;
    this.tables = [".rela.dyn", ".rela.plt"].flatMap((name) => {
      const section = elf.section(name);
      const isRead = section !== undefined && section.bytes <= MAX_TABLE_BYTES;
      return isRead ? [{ relocations: elf.contents(section), symbols: elf.sections[section.link] }] : [];
    });
  }

  /** What is stored at this address, if it is an address in this file; null: nothing is stored there. */
  storedAt(address: number): number | null {
    for (const { relocations, symbols } of this.tables) {
      for (let at = 0; at + RELOCATION_BYTES <= relocations.length; at += RELOCATION_BYTES) {
        if (!isWordAt(relocations, at, address)) continue;
        const isRelative = relocations.readUInt32LE(at + 8) === R_X86_64_RELATIVE;
        if (isRelative) return Number(relocations.readBigInt64LE(at + 16));
        return this.definedAddress(symbols, relocations.readUInt32LE(at + 12));
      }
    }
    return null;
  }

  /** Whether the data has this address in it, as the file has it or as it is stored there. */
  hasPointerTo(address: number): boolean {
    const isIn = (words: Buffer) => {
      for (let at = 0; at + 8 <= words.length; at += 8) if (isWordAt(words, at, address)) return true;
      return false;
    };
    return (
      this.tables.some(({ relocations }) => isIn(relocations)) ||
      this.elf.segments.some((segment) => !segment.isCode && isIn(this.elf.contents(segment)))
    );
  }

  private definedAddress(symbols: Section | undefined, symbol: number): number | null {
    if (symbols === undefined) return null;
    const entry = this.elf.contents({ offset: symbols.offset + symbol * SYMBOL_BYTES, bytes: SYMBOL_BYTES });
    return entry.length === 0 || entry.readUInt16LE(6) === 0 ? null : Number(entry.readBigUInt64LE(8));
  }
}

function isWordAt(bytes: Buffer, at: number, word: number): boolean {
  return bytes.readUInt32LE(at) === word % 2 ** 32 && bytes.readUInt32LE(at + 4) === Math.floor(word / 2 ** 32);
}
