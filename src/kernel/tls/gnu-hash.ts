/**
 * The hash table over the symbols that a file exports (.gnu.hash): a few functions are found in it without reading all
 * names. Node's binary has 75,000, and a program that has just started does not wait.
 */

/** The table as it lies in the file; may be hostile. */
export class GnuHash {
  private readonly table: Buffer;
  private readonly bucketCount: number;
  private readonly bucketsAt: number;
  private readonly chainsAt: number;
  private readonly firstSymbol: number;

  constructor(table: Buffer) {
    this.table = table;
    this.bucketCount = word(table, 0);
    this.firstSymbol = word(table, 4);
    this.bucketsAt = 16 + 8 * word(table, 8); // past the Bloom filter
    this.chainsAt = this.bucketsAt + 4 * this.bucketCount;
  }

  /** Numbers of the symbols that may have this name. */
  candidates(name: string): number[] {
    if (this.bucketCount === 0) return [];
    const hash = hashOf(name);
    const found: number[] = [];
    const first = word(this.table, this.bucketsAt + 4 * (hash % this.bucketCount));
    if (first < this.firstSymbol) return []; // an empty bucket
    for (let symbol = first; ; symbol++) {
      const at = this.chainsAt + 4 * (symbol - this.firstSymbol);
      if (at + 4 > this.table.length) return found;
      const chained = word(this.table, at);
      if (((chained ^ hash) & ~1) === 0) found.push(symbol);
      if ((chained & 1) !== 0) return found; // the last of its bucket
    }
  }
}

function word(table: Buffer, at: number): number {
  return at + 4 <= table.length ? table.readUInt32LE(at) : 0;
}

function hashOf(name: string): number {
  let hash = 5381;
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 33) + name.charCodeAt(i)) >>> 0;
  return hash;
}
