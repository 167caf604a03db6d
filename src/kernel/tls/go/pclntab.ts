/**
 * Functions of a Go program by name, stripped or not: from the table that the runtime unwinds stacks with, which no
 * program can do without (Go's runtime/symtab.go, internal/abi/symtab.go). Since Go 1.18 it holds offsets from where
 * the program's code begins. The file may be hostile or cut off: then there is no table.
 */
import type { ElfFile } from "../elf.ts";

const SECTIONS = [".gopclntab", ".data.rel.ro.gopclntab"]; // the second in position-independent programs, until 1.25
const MAGIC_118 = 0xfffffff0;
const MAGIC_120 = 0xfffffff1;
const POINTER_BYTES = 8;
const HEADER_BYTES = 8 + 8 * POINTER_BYTES;
/** Of an entry of the table of functions: where its code begins, and where its description lies. */
const ENTRY_BYTES = 8;
/** Real ones have some hundred bytes to some thousand. */
const MAX_FUNCTION_BYTES = 256 << 10;
/** A file whose section headers were taken away is searched this far. */
const MAX_SEARCHED_BYTES = 256 << 20;
const SEARCH_BYTES = 4 << 20;

/** Offsets from the beginning of the program's code. */
export interface Stretch {
  readonly start: number;
  readonly bytes: number;
}

export class Pclntab {
  /** Where the program's code begins, if the table says so: it did until Go 1.25. */
  readonly textStart: number | null;
  private readonly functionCount: number;
  private readonly names: Buffer;
  /** Entries, then descriptions. */
  private readonly functions: Buffer;

  static of(elf: ElfFile): Pclntab | null {
    const section = elf.sections.find(({ name }) => SECTIONS.includes(name));
    if (section !== undefined) return Pclntab.parse(elf.contents(section));
    // The system's linker puts it into .data.rel.ro, with much else.
    const isGo = elf.sections.length === 0 || elf.section(".go.buildinfo") !== undefined;
    return isGo ? search(elf) : null;
  }

  static parse(table: Buffer): Pclntab | null {
    return isHeader(table) ? new Pclntab(table) : null;
  }

  private constructor(table: Buffer) {
    const word = (index: number) => Number(table.readBigUInt64LE(8 + index * POINTER_BYTES));
    const part = (from: number, to: number) => table.subarray(Math.min(from, table.length), Math.min(to, table.length));
    this.textStart = word(2) || null;
    this.names = part(word(3), word(4));
    this.functions = part(word(7), table.length);
    this.functionCount = Math.min(word(0), Math.floor(Math.max(this.functions.length - 4, 0) / ENTRY_BYTES));
  }

  /** Those that the program has. */
  find(names: Iterable<string>): Map<string, Stretch> {
    const byNameAt = new Map<number, string>();
    for (const name of names) {
      const at = this.names.indexOf(`\0${name}\0`, 0, "latin1");
      if (at !== -1) byNameAt.set(at + 1, name);
    }
    const found = new Map<string, Stretch>();
    for (let i = 0; i < this.functionCount && byNameAt.size > 0; i++) {
      const name = byNameAt.get(this.nameAt(i));
      const stretch = name === undefined ? null : this.stretch(i);
      if (name !== undefined && stretch !== null) found.set(name, stretch);
    }
    return found;
  }

  /** Where `count` functions begin, from all over the program. */
  sample(count: number): number[] {
    const step = Math.max(1, Math.floor(this.functionCount / count));
    const starts: number[] = [];
    for (let i = 0; i < this.functionCount && starts.length < count; i += step) starts.push(this.start(i));
    return starts;
  }

  private start(index: number): number {
    return this.functions.readUInt32LE(index * ENTRY_BYTES);
  }

  /** After the last function comes where it ends. */
  private stretch(index: number): Stretch | null {
    const start = this.start(index);
    const bytes = this.start(index + 1) - start;
    return bytes > 0 && bytes <= MAX_FUNCTION_BYTES ? { start, bytes } : null;
  }

  private nameAt(index: number): number {
    const description = this.functions.readUInt32LE(index * ENTRY_BYTES + 4);
    return description + 8 <= this.functions.length ? this.functions.readInt32LE(description + 4) : -1;
  }
}

/** Magic, two zeros, the least length of an instruction, the size of a pointer. */
function isHeader(table: Buffer): boolean {
  if (table.length < HEADER_BYTES) return false;
  const magic = table.readUInt32LE(0);
  if (magic !== MAGIC_118 && magic !== MAGIC_120) return false;
  return table[4] === 0 && table[5] === 0 && (table[6] === 1 || table[6] === 4) && table[7] === POINTER_BYTES;
}

function search(elf: ElfFile): Pclntab | null {
  let left = MAX_SEARCHED_BYTES;
  for (const { offset, bytes } of elf.segments.filter(({ isCode }) => !isCode)) {
    const end = offset + Math.min(bytes, left);
    left -= end - offset;
    for (let from = offset; from < end; from += SEARCH_BYTES) {
      const block = elf.contents({ offset: from, bytes: Math.min(SEARCH_BYTES + HEADER_BYTES, end - from) });
      for (const at of headersIn(block)) {
        const table = Pclntab.parse(elf.contents({ offset: from + at, bytes: end - from - at }));
        if (table !== null && table.sample(1).length > 0) return table;
      }
    }
  }
  return null;
}

const MAX_HEADERS = 16; // that look like one, of a block

function headersIn(block: Buffer): number[] {
  const found: number[] = [];
  const magic = Buffer.from([0xff, 0xff, 0xff, 0, 0]);
  for (let at = block.indexOf(magic); at !== -1 && found.length < MAX_HEADERS; at = block.indexOf(magic, at + 1)) {
    if (at > 0 && isHeader(block.subarray(at - 1))) found.push(at - 1);
  }
  return found;
}
