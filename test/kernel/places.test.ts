/** Where probes are placed in functions of x86-64, compared with what objdump(1) and nm(1) say of the same code. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { ElfFile } from "../../src/kernel/tls/elf.ts";
import { libraries, probedNames } from "../../src/kernel/tls/functions.ts";
import { type Placement, placementsOf } from "../../src/kernel/tls/placements.ts";
import { cheapPlace, innerOf } from "../../src/kernel/tls/places.ts";
import { effectAt, RCX, RDI, RSI } from "../../src/kernel/tls/x86-effect.ts";

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "l7prof-"));
});

afterAll(() => rmSync(directory, { recursive: true }));

function objdump(path: string): { address: number; bytes: Buffer; text: string }[] {
  const options = { encoding: "utf8", maxBuffer: 1 << 28 } as const;
  const lines = execFileSync("objdump", ["-d", "-w", "-z", "--insn-width=16", path], options).split("\n");
  return lines.flatMap((line) => {
    const [, address, bytes, text] = /^ *([0-9a-f]+):\t((?:[0-9a-f]{2} )+) *\t(.*)$/.exec(line) ?? [];
    if (text === undefined) return [];
    return [{ address: Number.parseInt(address!, 16), bytes: Buffer.from(bytes!.replaceAll(" ", ""), "hex"), text }];
  });
}

describe.runIf(process.arch === "x64")("instructions", () => {
  test("of a whole library are as long as objdump says, and lead where it says", () => {
    let known = 0;
    const wrong: string[] = [];
    for (const { address, bytes, text } of objdump("/usr/lib/x86_64-linux-gnu/libssl.so.3")) {
      const effect = effectAt(bytes, 0);
      if (effect === null) continue;
      known++;
      const [, target] = /^(?:call|j[a-z]+)(?:,p[nt])? +([0-9a-f]+)/.exec(text) ?? [];
      const kind = /^push /.test(text) ? "push" : /^call/.test(text) ? "call" : /^jmp/.test(text) ? "jump" : null;
      const isSame =
        effect.bytes === bytes.length &&
        (target === undefined) === (effect.target === null) &&
        (target === undefined || address + effect.target! === Number.parseInt(target, 16)) &&
        (kind ?? (/^j/.test(text) ? "branch" : "other")) === effect.kind;
      if (!isSame) wrong.push(`${bytes.toString("hex")} ${text}: ${JSON.stringify(effect)}`);
    }
    expect(wrong).toEqual([]);
    expect(known).toBeGreaterThan(50_000);
  });

  test("any bytes, cut off anywhere: none is longer than what is there, and none throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const code = Buffer.from(bytes);
        const effect = effectAt(code, 0);
        if (effect !== null) expect(effect.bytes).toBeLessThanOrEqual(code.length);
        expect(cheapPlace(code, [RDI]) ?? 0).toBeLessThanOrEqual(code.length);
        innerOf(code, null);
      }),
      { numRuns: 20_000 },
    );
  });
});

describe("a place", () => {
  const code = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");

  it("is the entry if that is emulated", () => expect(cheapPlace(code("41 57 c3"), [RDI, RSI])).toBe(0));
  it("is past ENDBR64", () => expect(cheapPlace(code("f3 0f 1e fa 55"), [RDI])).toBe(4));
  it("is past what leaves the arguments", () =>
    expect(cheapPlace(code("45 31 c0 31 c9 e9 00 00 00 00"), [RDI])).toBe(5));
  it("is not past what changes an argument that is read", () =>
    expect(cheapPlace(code("45 31 c0 31 c9 e9 00 00 00 00"), [RDI, RCX])).toBeNull());
  it("is not past what moves the stack pointer", () => expect(cheapPlace(code("48 83 ec 18 55"), [])).toBeNull());
  it("is not past the unknown", () => expect(cheapPlace(code("f0 0f c1 07 55"), [])).toBeNull());
});

/** What OpenSSL's functions do, in the forms that they have had. */
const parts = {
  read: `
static __attribute__((noinline)) int read_inner(void *s, void *b, size_t n, size_t *l) {
  int r = work(s, b, n, l); touch(s); return r > 3 ? work(s, b, n, l) : r; }
int SSL_read(void *s, void *b, int n) { size_t l; if (n < 0) return -1;
  int r = read_inner(s, b, n, &l); return r > 0 ? (int)l : r; }
int SSL_read_ex(void *s, void *b, size_t n, size_t *l) { int r = read_inner(s, b, n, l); return r < 0 ? 0 : r; }`,
  write: `
static __attribute__((noinline)) int write_inner(void *s, const void *b, size_t n, size_t *l) {
  int r = put(s, b, n, l); touch(s); return r > 3 ? put(s, b, n, l) : r; }
int SSL_write(void *s, const void *b, int n) { size_t l; if (n < 0) return -1;
  int r = write_inner(s, b, n, &l); return r > 0 ? (int)l : r; }
int SSL_write_ex(void *s, const void *b, size_t n, size_t *l) { int r = write_inner(s, b, n, l); return r < 0 ? 0 : r; }`,
  writeWithFlags: `
static __attribute__((noinline)) int write_inner(void *s, const void *b, size_t n, unsigned long f, size_t *l) {
  if (f) touch(b); int r = put(s, b, n, l); touch(s); return r > 3 ? put(s, b, n, l) : r; }
int SSL_write(void *s, const void *b, int n) { size_t l; if (n < 0) return -1;
  int r = write_inner(s, b, n, 0, &l); return r > 0 ? (int)l : r; }
int SSL_write_ex2(void *s, const void *b, size_t n, unsigned long f, size_t *l) {
  int r = write_inner(s, b, n, f, l); return r < 0 ? 0 : r; }`,
  other: `
static __attribute__((noinline)) int other(void *b, void *s, size_t n, size_t *l) {
  int r = work(s, b, n, l); touch(s); return r > 3 ? work(s, b, n, l) : r; }
int SSL_read(void *s, void *b, int n) { size_t l; int r = other(b, s, n, &l); return r > 0 ? (int)l : r; }
int SSL_read_ex(void *s, void *b, size_t n, size_t *l) { int r = other(b, s, n, l); return r < 0 ? 0 : r; }`,
};

function compile(name: string, ...sources: string[]): string {
  const path = join(directory, `${name}.so`);
  const head =
    "#include <stddef.h>\nint work(void *, void *, size_t, size_t *); int put(void *, const void *, size_t, size_t *); void touch(const void *);\n";
  writeFileSync(join(directory, `${name}.c`), head + sources.join("\n"));
  const flags = ["-O2", "-shared", "-fPIC", "-fcf-protection=none", "-fstack-protector-strong"];
  execFileSync("cc", [...flags, "-o", path, join(directory, `${name}.c`)]);
  return path;
}

/** `PROGRAM at FUNCTION+OFFSET`, those that begin and not those that end. */
function placed(path: string): string[] {
  const fd = openSync(path, "r");
  try {
    const elf = ElfFile.open(fd)!;
    const places = placementsOf(libraries[0]!, elf.functions(probedNames), (at, bytes) => elf.x86Code(at, bytes))!;
    expectSamePlaces(places);
    const symbols = symbolsOf(path);
    return places
      .filter(({ isReturn }) => !isReturn)
      .flatMap(({ program, offsets }) => offsets.map((offset) => `${program} ${symbols.get(offset) ?? offset}`))
      .sort();
  } finally {
    closeSync(fd);
  }
}

/** Each place where a call is seen to begin is one where it is seen to end. */
function expectSamePlaces(places: readonly Placement[]): void {
  const at = (isReturn: boolean) =>
    places
      .filter((one) => one.isReturn === isReturn)
      .flatMap(({ offsets }) => offsets)
      .sort();
  expect(at(false)).toEqual(at(true));
}

/** Address → name; the code of such a small library lies at its address. */
function symbolsOf(path: string): Map<number, string> {
  const lines = execFileSync("nm", [path], { encoding: "utf8" }).split("\n");
  return new Map(lines.map((line) => [Number.parseInt(line, 16), line.split(" ")[2] ?? ""]));
}

describe.runIf(process.arch === "x64")("functions that share another", () => {
  it("are probed in that", () => {
    expect(placed(compile("shared", parts.read, parts.write))).toEqual([
      "l7p_tls_read_inner read_inner",
      "l7p_tls_write_ex write_inner",
    ]);
  });

  it("with one argument more", () => {
    expect(placed(compile("flags", parts.read, parts.writeWithFlags))).toEqual([
      "l7p_tls_read_inner read_inner",
      "l7p_tls_write_inner write_inner",
    ]);
  });

  it("are probed themselves if they hand on something else", () => {
    expect(placed(compile("other", parts.other, parts.write))).toEqual([
      "l7p_tls_read SSL_read",
      "l7p_tls_read_ex SSL_read_ex",
      "l7p_tls_write_ex write_inner",
    ]);
  });

  it("are probed themselves if only one of them does", () => {
    const [alone] = parts.write.split("int SSL_write_ex");
    expect(placed(compile("alone", parts.read, alone!))).toEqual([
      "l7p_tls_read_inner read_inner",
      "l7p_tls_write SSL_write",
    ]);
  });
});
