/**
 * Where the functions of an ELF file begin and end, those without a symbol included: as .eh_frame_hdr tells it for
 * unwinding (Linux Standard Base, 10.6), in the encoding that compilers for Linux use. The file may be hostile: what
 * does not fit together has no functions.
 */
import type { ElfFile } from "./elf.ts";

export interface Extent {
  /** Addresses; the end is behind the last byte. */
  readonly start: number;
  readonly end: number;
}

/** Version, and the encodings of the pointer to .eh_frame, of the number of entries and of the entries. */
const HEADER = Buffer.from([1, 0x1b, 0x03, 0x3b]);
const HEADER_BYTES = 12;
const ENTRY_BYTES = 8;

export class UnwindTable {
  private readonly elf: ElfFile;
  private readonly base: number;
  /** Sorted by start: of each function, start and description, relative to the base. */
  private readonly entries: Buffer;

  static of(elf: ElfFile): UnwindTable | null {
    const section = elf.section(".eh_frame_hdr");
    const table = section === undefined ? Buffer.alloc(0) : elf.contents(section);
    const isKnown = table.length >= HEADER_BYTES && table.subarray(0, HEADER.length).equals(HEADER);
    if (section === undefined || !isKnown) return null;
    const end = HEADER_BYTES + ENTRY_BYTES * table.readUInt32LE(8);
    return end > table.length ? null : new UnwindTable(elf, section.address, table.subarray(HEADER_BYTES, end));
  }

  private constructor(elf: ElfFile, base: number, entries: Buffer) {
    this.elf = elf;
    this.base = base;
    this.entries = entries;
  }

  /** The function that has this address; null if there is none. */
  extentAt(address: number): Extent | null {
    let [low, high] = [0, this.entries.length / ENTRY_BYTES];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.word(middle, 0) <= address) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return null;
    const start = this.word(low - 1, 0);
    const bytes = this.bytesOf(start, this.word(low - 1, 4));
    return address < start + bytes ? { start, end: start + bytes } : null;
  }

  private word(entry: number, at: 0 | 4): number {
    return this.base + this.entries.readInt32LE(ENTRY_BYTES * entry + at);
  }

  /** By its description: length, offset of the common part, start relative to here, bytes. 0: it tells of another. */
  private bytesOf(start: number, description: number): number {
    const record = this.elf.bytesAt(description, 16);
    return record === null || description + 8 + record.readInt32LE(8) !== start ? 0 : record.readUInt32LE(12);
  }
}
