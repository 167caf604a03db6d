/** Files that are made to keep their reader busy, or to have breakpoints where there is no code. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { libraries, soughtNames } from "../../src/kernel/tls/functions.ts";
import { placementsOf } from "../../src/kernel/tls/placements.ts";
import { Relocations } from "../../src/kernel/tls/relocations.ts";
import { returnSitesOf, returnsOf } from "../../src/kernel/tls/returns.ts";
import { addressesOf, compileLibrary, temporaryDirectory, withElf, withX86Code } from "../support/machine-code.ts";
import { compileOpenSsl, parts } from "../support/openssl-forms.ts";

const directory = temporaryDirectory();
const onX86 = it.runIf(process.arch === "x64");
const HEAD = `
int other(int); int more(int); void touch(const void *); __attribute__((cold)) void complain(int);
`;

const INNER =
  "__attribute__((noinline)) static int inner(int a) { touch(&a); return other(a) + more(a); } int one(int a) { return inner(a) + 1; }";

/** The program header of the code, as large as can be. */
function withHugeSegment(): string {
  const bytes = readFileSync(compileLibrary(directory, "huge", HEAD + INNER));
  const headers = Number(bytes.readBigUInt64LE(32));
  for (let i = 0; i < bytes.readUInt16LE(56); i++) {
    const at = headers + 56 * i;
    if (bytes.readUInt32LE(at) === 1 && (bytes.readUInt32LE(at + 4) & 1) !== 0)
      bytes.writeBigUInt64LE(1n << 62n, at + 32);
  }
  const path = join(directory, "hostile");
  writeFileSync(path, bytes);
  return path;
}

onX86("a segment that is said to be huge is no longer than the file", () => {
  const path = withHugeSegment();
  withX86Code(path, (code) => {
    const bytesAt = code.elf.bytesAt.bind(code.elf);
    let calls = 0;
    vi.spyOn(code.elf, "bytesAt").mockImplementation((address, bytes) => {
      if (++calls > 10_000) throw new Error("It reads on and on");
      return bytesAt(address, bytes);
    });
    code.references(4096);
  });
});

it("thousands of tables of relocations, all the same, are not all read", () => {
  const table = 16 << 20;
  const sections = 4096;
  const head = Buffer.alloc(64 + 64 * sections);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  head.writeUInt16LE(62, 18);
  head.writeBigUInt64LE(64n, 40);
  head.writeUInt16LE(sections, 60);
  for (let i = 0; i < sections; i++) {
    head.writeUInt32LE(4, 64 + 64 * i + 4);
    head.writeBigUInt64LE(BigInt(head.length), 64 + 64 * i + 24);
    head.writeBigUInt64LE(BigInt(table), 64 + 64 * i + 32);
  }
  const path = join(directory, "relocations");
  writeFileSync(path, Buffer.concat([head, Buffer.alloc(table)]));
  withElf(path, (elf) => {
    let bytesRead = 0;
    vi.spyOn(elf, "read").mockImplementation((_, bytes) => {
      bytesRead += bytes;
      if (bytesRead > 1 << 30) throw new Error("It reads more than a GB");
      return Buffer.alloc(0);
    });
    new Relocations(elf).storedAt(8);
  });
});

onX86("a function with very many calls of one without a name is not read for each of them", () => {
  const many = 'int many(void); asm(".text; many: .cfi_startproc; .rept 12000; call inner; .endr; ret; .cfi_endproc");';
  const path = compileLibrary(directory, "many", HEAD + INNER.replace("noinline", "noinline, used") + many);
  withX86Code(path, (code) => {
    const read = code.elf.read.bind(code.elf);
    let bytesRead = 0;
    vi.spyOn(code.elf, "read").mockImplementation((offset, bytes) => {
      bytesRead += bytes;
      if (bytesRead > 2 << 20) throw new Error("It reads more than 2 MB of a file that has 80 KB");
      return read(offset, bytes);
    });
    returnSitesOf(code, addressesOf(path).get("inner")!);
  });
});

onX86("a jump to data that is described as a function leads nowhere", () => {
  const source = `
    int read(void); int write(void); int data(void);
    asm(".data; data: .cfi_startproc; nop; ret; .cfi_endproc; .text");
    int SSL_read(int a) { touch(&a); return other(a) + 1; }
    int SSL_write(int a) { touch(&a); return more(a) + 2; }
    asm(".globl SSL_do_handshake; .type SSL_do_handshake, @function; SSL_do_handshake: .cfi_startproc; jmp data; .cfi_endproc");`;
  const path = compileLibrary(directory, "data", HEAD + source);
  withX86Code(path, (code) => {
    const placements = placementsOf(libraries[0]!, code.elf.functions(soughtNames), code)!;
    expect(placements.flatMap(({ offsets }) => offsets)).not.toContain(undefined);
    expect(placements.some(({ isReturn }) => isReturn)).toBe(true);
  });
});

it("any bytes changed: no exception, and each place is in the file", () => {
  const bytes = readFileSync(compileOpenSsl("changed", parts.read, parts.write));
  const path = join(directory, "changed");
  const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
  let understood = 0;
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 30 }), (changes) => {
      const copy = Buffer.from(bytes);
      for (const [at, value] of changes) copy[at] = value;
      writeFileSync(path, copy);
      withX86Code(path, (code) => {
        const placements = placementsOf(libraries[0]!, code.elf.functions(soughtNames), code) ?? [];
        const offsets = placements.flatMap((one) => one.offsets);
        expect(offsets.filter((offset) => !(offset >= 0 && offset < copy.length))).toEqual([]);
        understood += offsets.length;
      });
    }),
    { numRuns: 300 },
  );
  expect(understood).toBeGreaterThan(process.arch === "x64" ? 100 : 0);
});

it("thousands of segments, all the same, are not all looked through", () => {
  const [segments, size] = [4096, 4 << 20];
  const head = Buffer.alloc(64 + 56 * segments);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  head.writeUInt16LE(62, 18);
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(segments, 56);
  for (let at = 64; at < head.length; at += 56) {
    head.set([1, 0, 0, 0, 5], at); // PT_LOAD, of code
    head.writeBigUInt64LE(4096n, at + 16);
    head.writeBigUInt64LE(BigInt(size), at + 32);
  }
  const path = join(directory, "segments");
  writeFileSync(path, Buffer.concat([head, Buffer.alloc(size)]));
  withX86Code(path, (code) => {
    let bytesRead = 0;
    vi.spyOn(code.elf, "read").mockImplementation((_, bytes) => {
      bytesRead += bytes;
      if (bytesRead > 64 << 20) throw new Error("It reads more than 64 MB of a file that has 4 MB");
      return Buffer.alloc(0);
    });
    code.references(8192);
  });
});

it.runIf(process.arch === "x64")(
  "thousands of jumps to the linkage table do not look through the relocations each",
  () => {
    const source = `int end(void); int end(void) { return 3; }
    asm(".globl f; .type f, @function; f: .cfi_startproc; .rept 10000; je end@plt; .endr; ret; .cfi_endproc");`;
    const path = compileLibrary(directory, "jumps", source);
    withX86Code(path, (code) => {
      const relocated = vi.spyOn(code.relocations, "storedAt");
      returnsOf(code, addressesOf(path).get("f")!);
      expect(relocated.mock.calls.length).toBeLessThan(1000);
    });
  },
);

it.runIf(process.arch === "x64")("a function with 60,000 returns gets no breakpoints", () => {
  const source = 'asm(".globl f; .type f, @function; f: .cfi_startproc; .fill 60000, 1, 0xc3; .cfi_endproc");';
  const path = compileLibrary(directory, "many-returns", source);
  const found = withX86Code(path, (code) => returnsOf(code, addressesOf(path).get("f")!));
  expect(found?.length ?? 0).toBeLessThan(10_000);
});
