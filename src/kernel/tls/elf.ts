/**
 * Functions of a 64-bit little-endian ELF file, by name, as offsets in the file, which is what a uprobe is placed at
 * (System V ABI, chapters 4 and 5; elf(5)). Both tables are read: .dynsym of libraries, .symtab of what is linked
 * statically. The file may be hostile or cut off: then it has no functions.
 */
import { fstatSync, readSync } from "node:fs";
import { GnuHash } from "./gnu-hash.ts";

const SHT_SYMTAB = 2;
const SHT_STRTAB = 3;
const SHT_DYNSYM = 11;
const SHT_GNU_HASH = 0x6ffffff6;
const PT_LOAD = 1;
const PF_X = 1;
const STT_FUNC = 2;
export const EM_X86_64 = 62;
export const EM_AARCH64 = 183;
export const SYMBOL_BYTES = 24;
const MAX_HEADERS = 4096;
/** Node has six. */
const MAX_SEGMENTS = 12;
/** Node's own binary has 12 MB of symbols. */
const MAX_TABLE_BYTES = 256 << 20;

export interface Segment {
  readonly offset: number;
  readonly address: number;
  readonly bytes: number;
  readonly isCode: boolean;
}

export interface Section {
  readonly name: string;
  readonly type: number;
  readonly address: number;
  readonly offset: number;
  readonly bytes: number;
  readonly link: number;
}

export class ElfFile {
  readonly sections: readonly Section[];
  readonly segments: readonly Segment[];
  /** e_machine */
  readonly machine: number;
  private readonly fd: number;
  private readonly size: number;

  /** Null if it is none. The descriptor stays the caller's. */
  static open(fd: number): ElfFile | null {
    try {
      return new ElfFile(fd);
    } catch (error) {
      if (error instanceof NotElf || error instanceof RangeError) return null;
      throw error;
    }
  }

  private constructor(fd: number) {
    this.fd = fd;
    this.size = fstatSync(fd).size;
    const head = this.read(0, 64);
    // ELFCLASS64, ELFDATA2LSB
    if (head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2 || head[5] !== 1) throw new NotElf();
    this.machine = head.readUInt16LE(18);
    this.segments = this.readSegments(Number(head.readBigUInt64LE(32)), head.readUInt16LE(56));
    this.sections = this.readSections(Number(head.readBigUInt64LE(40)), head.readUInt16LE(60), head.readUInt16LE(62));
  }

  /** The offsets of those functions that it defines; what it does not export is looked for if that is not enough. */
  functions(names: ReadonlySet<string>, isEnough: (found: ReadonlyMap<string, number>) => boolean = () => false) {
    const found = new Map<string, number>();
    for (const type of [SHT_DYNSYM, SHT_SYMTAB]) {
      for (const section of this.sections) {
        const strings = this.sections[section.link];
        if (section.type !== type || strings === undefined) continue;
        const hash = this.sections.find((one) => one.type === SHT_GNU_HASH && this.sections[one.link] === section);
        if (hash !== undefined) this.lookUp(new GnuHash(this.contents(hash)), section, strings, names, found);
        else this.search(this.contents(section), this.contents(strings), names, found);
      }
      if (isEnough(found)) break;
    }
    return found;
  }

  /** Whether one of its symbols, defined in it or not, is called so. */
  hasName(name: string): boolean {
    const tables = this.sections.filter(({ type }) => type === SHT_STRTAB);
    return tables.some((table) => this.contents(table).includes(`\0${name}\0`));
  }

  section(name: string): Section | undefined {
    return this.sections.find((section) => section.name === name);
  }

  /** Nothing if it is not all in the file, or too large. */
  contents({ offset, bytes }: Pick<Section, "offset" | "bytes">): Buffer {
    const isThere = bytes <= MAX_TABLE_BYTES && offset + bytes <= this.size;
    return isThere ? this.read(offset, bytes) : Buffer.alloc(0);
  }

  /** Where in the file the code at this address lies; undefined if it is not in it. */
  fileOffset(address: number): number | undefined {
    return offsetIn(
      this.segments.filter(({ isCode }) => isCode),
      address,
    );
  }

  /** The address of the code that lies there in the file; undefined if it is none. */
  codeAddress(offset: number): number | undefined {
    const segment = this.segments.find((one) => one.isCode && offset >= one.offset && offset < one.offset + one.bytes);
    return segment === undefined ? undefined : offset - segment.offset + segment.address;
  }

  /** Code or data as the file has it, before relocation; null if it is not all in it. */
  bytesAt(address: number, bytes: number): Buffer | null {
    const offset = offsetIn(this.segments, address);
    if (offset === undefined || bytes < 0 || bytes > MAX_TABLE_BYTES || offset + bytes > this.size) return null;
    return this.read(offset, bytes);
  }

  /** What of the file lies there, as far as it goes. */
  upTo(offset: number, bytes: number): Buffer {
    return offset < 0 || offset >= this.size ? Buffer.alloc(0) : this.read(offset, Math.min(bytes, this.size - offset));
  }

  read(offset: number, bytes: number): Buffer {
    if (offset < 0 || bytes < 0 || offset + bytes > this.size) throw new NotElf();
    const buffer = Buffer.alloc(bytes);
    for (let at = 0; at < bytes; ) {
      const count = readSync(this.fd, buffer, at, bytes - at, offset + at);
      if (count === 0) throw new NotElf();
      at += count;
    }
    return buffer;
  }

  private lookUp(
    hash: GnuHash,
    symbols: Section,
    strings: Section,
    names: ReadonlySet<string>,
    found: Map<string, number>,
  ): void {
    for (const name of names) {
      const wanted = Buffer.from(`${name}\0`);
      for (const symbol of hash.candidates(name)) {
        const entry = this.contents({ offset: symbols.offset + symbol * SYMBOL_BYTES, bytes: SYMBOL_BYTES });
        if (entry.length === 0) continue;
        const nameAt = strings.offset + entry.readUInt32LE(0);
        if (this.contents({ offset: nameAt, bytes: wanted.length }).equals(wanted)) this.take(entry, name, found);
      }
    }
  }

  private search(symbols: Buffer, strings: Buffer, names: ReadonlySet<string>, found: Map<string, number>): void {
    const wanted = [...names].map((name) => Buffer.from(`${name}\0`));
    const initials = new Set(wanted.map((name) => name[0]));
    for (let at = 0; at + SYMBOL_BYTES <= symbols.length; at += SYMBOL_BYTES) {
      const nameAt = symbols.readUInt32LE(at);
      if (!initials.has(strings[nameAt])) continue;
      const name = wanted.find((one) => strings.subarray(nameAt, nameAt + one.length).equals(one));
      if (name === undefined) continue;
      this.take(symbols.subarray(at, at + SYMBOL_BYTES), name.toString("latin1", 0, name.length - 1), found);
    }
  }

  private take(symbol: Buffer, name: string, found: Map<string, number>): void {
    const isDefined = symbol.readUInt16LE(6) !== 0;
    if (!isDefined || (symbol[4]! & 15) !== STT_FUNC) return;
    const offset = this.fileOffset(Number(symbol.readBigUInt64LE(8)));
    if (offset !== undefined) found.set(name, offset);
  }

  private readSegments(at: number, count: number): Segment[] {
    const table = this.read(at, 56 * Math.min(count, MAX_HEADERS));
    return Array.from({ length: Math.min(count, MAX_HEADERS) }, (_, i) => ({
      isLoaded: table.readUInt32LE(56 * i) === PT_LOAD,
      isCode: (table.readUInt32LE(56 * i + 4) & PF_X) !== 0,
      offset: Number(table.readBigUInt64LE(56 * i + 8)),
      address: Number(table.readBigUInt64LE(56 * i + 16)),
      bytes: Number(table.readBigUInt64LE(56 * i + 32)),
    }))
      .filter(({ isLoaded }) => isLoaded)
      .map((one) => ({ ...one, bytes: Math.max(0, Math.min(one.bytes, this.size - one.offset)) }))
      .slice(0, MAX_SEGMENTS);
  }

  private readSections(at: number, count: number, nameTable: number): Section[] {
    if (at === 0) return []; // stripped of them altogether
    const table = this.read(at, 64 * Math.min(count, MAX_HEADERS));
    const raw = Array.from({ length: Math.min(count, MAX_HEADERS) }, (_, i) => ({
      nameAt: table.readUInt32LE(64 * i),
      name: "",
      type: table.readUInt32LE(64 * i + 4),
      address: Number(table.readBigUInt64LE(64 * i + 16)),
      offset: Number(table.readBigUInt64LE(64 * i + 24)),
      bytes: Number(table.readBigUInt64LE(64 * i + 32)),
      link: table.readUInt32LE(64 * i + 40),
    }));
    const names = raw[nameTable];
    const strings = names === undefined ? Buffer.alloc(0) : this.contents(names);
    return raw.map(({ nameAt, ...section }) => ({ ...section, name: textAt(strings, nameAt) }));
  }
}

class NotElf extends Error {}

function offsetIn(segments: readonly Segment[], address: number): number | undefined {
  const segment = segments.find((one) => address >= one.address && address < one.address + one.bytes);
  return segment === undefined ? undefined : address - segment.address + segment.offset;
}

function textAt(strings: Buffer, at: number): string {
  const end = strings.indexOf(0, at);
  return strings.toString("latin1", at, end === -1 ? at : end);
}
