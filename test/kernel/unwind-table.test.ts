/** Where functions begin and end, compared with what readelf(1) says, and tables that are hostile. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Extent, UnwindTable } from "../../src/kernel/tls/unwind-table.ts";
import { compileLibrary, temporaryDirectory, withElf } from "../support/machine-code.ts";

const directory = temporaryDirectory();
const source = `
int elsewhere(int);
static __attribute__((noinline)) int inner(int a) { return elsewhere(a) * 3; }
int first(int a) { return inner(a) + 1; }
int second(int a) { return a > 3 ? inner(a) - elsewhere(7) : a; }
`;

function extentsOf(path: string): Extent[] {
  const options = { encoding: "utf8", maxBuffer: 1 << 28, stdio: "pipe" } as const;
  const text = execFileSync("readelf", ["--debug-dump=frames", path], options);
  const found = [...text.matchAll(/FDE cie=\S+ pc=([0-9a-f]+)\.\.([0-9a-f]+)$/gm)];
  return found.map(([, start, end]) => ({ start: Number.parseInt(start!, 16), end: Number.parseInt(end!, 16) }));
}

function withTable<T>(path: string, use: (table: UnwindTable) => T): T {
  return withElf(path, (elf) => use(UnwindTable.of(elf)!))!;
}

function expectExtents(path: string): void {
  const expected = extentsOf(path);
  const starts = new Set(expected.map(({ start }) => start));
  withTable(path, (table) => {
    const wrong = expected.filter((extent) => {
      const inside = [extent.start, (extent.start + extent.end) >> 1, extent.end - 1].map((at) => table.extentAt(at));
      const isFound = inside.every((one) => one?.start === extent.start && one.end === extent.end);
      return !isFound || (!starts.has(extent.end) && table.extentAt(extent.end) !== null);
    });
    expect(wrong).toEqual([]);
    expect(table.extentAt(Math.min(...starts) - 1)).toBeNull();
  });
  expect(expected.some(({ end }) => !starts.has(end))).toBe(true);
}

describe("the extents of functions", () => {
  it("are those that readelf says, of what is compiled here, static functions too", () => {
    const path = compileLibrary(directory, "small", source);
    expect(extentsOf(path).length).toBeGreaterThanOrEqual(3);
    expectExtents(path);
  });

  it.runIf(process.arch === "x64").each(["libssl.so.3", "libgnutls.so.30"])(
    "are those that readelf says, of %s",
    (name) => {
      const path = `/usr/lib/x86_64-linux-gnu/${name}`;
      expect(extentsOf(path).length).toBeGreaterThan(1000);
      expectExtents(path);
    },
  );

  it("are none where the table does not fit the descriptions, or is longer than its section", () => {
    const path = compileLibrary(directory, "unfit", source);
    const bytes = readFileSync(path);
    const table = withElf(path, (elf) => elf.section(".eh_frame_hdr")!)!.offset;
    const count = bytes.readUInt32LE(table + 8);
    const { start } = extentsOf(path).at(-1)!;
    expect(withTable(path, (unwind) => unwind.extentAt(start))).not.toBeNull();

    const exchanged = Buffer.from(bytes);
    for (let i = 0; i < count; i++)
      exchanged.writeInt32LE(bytes.readInt32LE(table + 16 + 8 * ((i + 1) % count)), table + 16 + 8 * i);
    writeFileSync(path, exchanged);
    expect(withTable(path, (unwind) => unwind.extentAt(start))).toBeNull();

    bytes.writeUInt32LE(count + 1, table + 8);
    writeFileSync(path, bytes);
    expect(withElf(path, (elf) => UnwindTable.of(elf))).toBeNull();
  });

  it("of a file that is hostile or cut off hold the address, if there are any", () => {
    const bytes = readFileSync(compileLibrary(directory, "changed", source));
    const [table, frames, text] = withElf(join(directory, "changed.so"), (elf) =>
      [".eh_frame_hdr", ".eh_frame", ".text"].map((name) => elf.section(name)!),
    )!;
    const path = join(directory, "hostile");
    const change = fc.tuple(fc.nat(table!.bytes + frames!.bytes), fc.nat(255));
    let found = 0;
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), fc.option(fc.nat(bytes.length)), (changes, end) => {
        const copy = Buffer.from(bytes);
        for (const [at, value] of changes) copy[table!.offset + at] = value;
        writeFileSync(path, copy.subarray(0, end ?? copy.length));
        withElf(path, (elf) => {
          const unwind = UnwindTable.of(elf);
          for (let at = text!.address - 64; at < text!.address + text!.bytes + 64; at += 5) {
            const extent = unwind?.extentAt(at) ?? null;
            if (extent === null) continue;
            found++;
            if (at < extent.start || at >= extent.end) throw new Error(`${at}: ${extent.start}..${extent.end}`);
          }
        });
      }),
      { numRuns: 300 },
    );
    expect(found).toBeGreaterThan(0);
  });
});
