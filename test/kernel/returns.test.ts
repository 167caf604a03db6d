/** Where calls end, compared with what objdump(1) and nm(1) say of what is compiled here. */
import { describe, expect, it } from "vitest";
import { returnSitesOf, returnsOf } from "../../src/kernel/tls/returns.ts";
import {
  addressesOf,
  behindCallsOf,
  compileLibrary,
  compileProgram,
  disassemble,
  type Line,
  returnsIn,
  temporaryDirectory,
  withX86Code,
} from "../support/machine-code.ts";

const directory = temporaryDirectory();
const HEAD = `
#include <string.h>
int other(int); int more(int); void touch(const void *); __attribute__((cold)) void complain(int);
struct object { long size; int (*call)(struct object *); };
`;
const PLAIN = ["-fcf-protection=none"];
let libraries = 0;

interface Found {
  readonly path: string;
  readonly lines: readonly Line[];
  readonly addresses: ReadonlyMap<string, number>;
}

function compile(source: string, flags: readonly string[], make = compileLibrary): Found {
  const path = make(directory, `library${libraries++}`, HEAD + source, flags);
  return { path, lines: disassemble(path), addresses: addressesOf(path) };
}

/** Where calls of `f` return, and where those of the functions `expected` do. */
function returns(source: string, expected: readonly string[], flags = PLAIN, make = compileLibrary) {
  const { path, lines, addresses } = compile(source, flags, make);
  const found = withX86Code(path, (code) => returnsOf(code, addresses.get("f")!));
  return { found: found?.sort((a, b) => a - b) ?? null, wanted: returnsIn(lines, ...expected), lines };
}

/** Behind the calls of `inner`. */
function sites(source: string) {
  const { path, lines, addresses } = compile(source, PLAIN);
  const found = withX86Code(path, (code) => returnSitesOf(code, addresses.get("inner")!));
  return { found, wanted: behindCallsOf(lines, "inner"), lines };
}

function has(lines: readonly Line[], symbol: string, pattern: RegExp): boolean {
  return lines.some((line) => line.symbol === symbol && pattern.test(line.text));
}

const SWITCH = `
int f(int a, int b) {
  switch (a) {
    case 0: return other(b) + 1; case 1: return more(b) * 3; case 2: touch(0); return 5; case 3: touch(&a); return b;
    case 4: return other(b + 3) - 7; case 5: return more(b + 1) + 11; case 6: return other(b * 2) * 5;
    case 7: default: return more(2) + 1;
  }
}`;

describe.runIf(process.arch === "x64")("calls return", () => {
  it("at each RET of the function", () => {
    const { found, wanted } = returns(
      `int f(int a) { if (a == 3) return other(a) + 1; touch(&a); if (a > 7) return more(a) * 2; return other(5) - 3; }
       int g(int a) { return other(a) + 1; }`,
      ["f"],
    );
    expect(wanted.length).toBeGreaterThan(1);
    expect(found).toEqual(wanted);
  });

  it("in a part of it that the compiler has put elsewhere", () => {
    const { found, wanted, lines } = returns(
      `int f(int a) { if (a < 0) { complain(a); return other(a) - 1; } return other(a) + 1; }`,
      ["f", "f.cold"],
    );
    expect(returnsIn(lines, "f.cold").length + Number(has(lines, "f.cold", /^jmp .*<f\+/))).toBeGreaterThan(0);
    expect(found).toEqual(wanted);
  });

  const tail = "{ touch(&a); if (b) return other(a) * b; return more(b) + 2; }";

  it("in a static function that it ends in by a jump", () => {
    const { found, wanted, lines } = returns(
      `__attribute__((noinline)) static int end(int a, int b) ${tail}
       int f(int a) { touch(0); return end(a + 1, a); }`,
      ["end"],
    );
    expect(returnsIn(lines, "f")).toEqual([]);
    expect(found).toEqual(wanted);
  });

  it.each([
    ["plain", "-z,lazy", /^jmp/],
    ["ENDBR64", "-z,ibtplt", /^endbr64/],
  ] as const)("in a function of the file that it jumps to by the linkage table (%s)", (_, option, stub) => {
    const { found, wanted, lines } = returns(
      `int end(int a, int b) ${tail} int f(int a) { touch(0); if (a > 9) return 1; return end(a + 1, a); }`,
      ["f", "end"],
      [...PLAIN, `-Wl,${option}`],
    );
    expect(has(lines, "f", /^(bnd )?jmp .*<end@plt>/)).toBe(true);
    expect(has(lines, "end@plt", stub)).toBe(true);
    expect(returnsIn(lines, "f").length).toBeGreaterThan(0);
    expect(found).toEqual(wanted);
  });

  it.each(["none", "branch"])("at each case of a switch by a table (%s)", (protection) => {
    const { found, wanted, lines } = returns(SWITCH, ["f"], [`-fcf-protection=${protection}`]);
    expect(has(lines, "f", /jmp +\*/)).toBe(true);
    expect(wanted.length).toBeGreaterThan(4);
    expect(found).toEqual(wanted);
  });

  it.each([
    ["distances", compileLibrary],
    ["addresses", compileProgram],
  ])("where a case of a switch leads that the compiler has put elsewhere, by a table of %s", (_, make) => {
    const rare = SWITCH.replaceAll("touch(&a)", "touch(0)").replace(
      "case 7:",
      "case 7: complain(1); return refuse(b);",
    );
    const { found, wanted, lines } = returns(
      `__attribute__((cold, noinline)) static int refuse(int a) { touch(&a); return a > 1 ? other(a) * 7 : more(3) + 3; }
       ${rare}`,
      ["f", "f.cold", "refuse"],
      PLAIN,
      make,
    );
    expect(has(lines, "f.cold", /^jmp .*<refuse>/)).toBe(true);
    expect(lines.some(({ text, symbol }) => symbol !== "f.cold" && text.includes("<f.cold>"))).toBe(false);
    expect(found).toEqual(wanted);
  });

  it.each([
    ["none", /^jmp +\*0x[0-9a-f]+\(,%r..,8\)/],
    ["branch", /^notrack jmp +\*0x[0-9a-f]+\(,%r..,8\)/],
  ] as const)("at each case of a switch by a table of addresses (%s)", (protection, jump) => {
    const { found, wanted, lines } = returns(SWITCH, ["f"], [`-fcf-protection=${protection}`], compileProgram);
    expect(has(lines, "f", jump)).toBe(true);
    expect(wanted.length).toBeGreaterThan(4);
    expect(found).toEqual(wanted);
  });
});

describe.runIf(process.arch === "x64")("it is not known where calls return", () => {
  const unknown = {
    "in another library": [
      "size_t f(const char *a) { touch(a); if (a == 0) return 1; return strlen(a + 1); }",
      /jmp .*<strlen@plt>/,
    ],
    "where a register says": [
      "int f(struct object *o) { touch(o); if (o->size) return 1; return o->call(o); }",
      /jmp +\*%r/,
    ],
    "where a pointer in memory says": [
      "int f(struct object *o) { if (o->size) return 1; return o->call(o); }",
      /jmp +\*0x8\(/,
    ],
    "where a table of functions says": [
      "int f(int (**t)(void), long i) { if (i > 9) return 1; return t[i](); }",
      /jmp +\*\(%r..,%r..,8\)/,
    ],
    "where a sum says": [
      "int f(char *p, int *t, long i) { touch(p); if (i > 9) return 1; return ((int (*)(long))(p + t[i]))(i); }",
      /jmp +\*%r/,
    ],
  } as const;

  it.each(Object.entries(unknown))("%s", (_, [source, jump]) => {
    const { found, lines } = returns(source, ["f"]);
    expect(has(lines, "f", jump)).toBe(true);
    expect(returnsIn(lines, "f").length).toBeGreaterThan(0);
    expect(found).toBeNull();
  });
});

const INNER = `
__attribute__((noinline)) static int inner(int a) { touch(&a); return other(a) + more(a); }`;
const CALLERS = `
int one(int a) { return inner(a) + 1; }
int two(int a) { if (a > 3) return inner(a + 2) * 2; return inner(7) - inner(a - 1); }
`;

describe.runIf(process.arch === "x64")("a function without a name", () => {
  it("is left for the places right behind its calls", () => {
    const { found, wanted } = sites(INNER + CALLERS);
    expect(wanted.length).toBeGreaterThanOrEqual(3);
    expect(found).toEqual(wanted);
  });

  it("is not known to be if its address is taken", () => {
    const { found, lines } = sites(`${INNER} ${CALLERS} void *f(void) { return inner; }`);
    expect(has(lines, "f", /^lea .*<inner>/)).toBe(true);
    expect(found).toBeNull();
  });

  it("is not known to be if data points to it", () => {
    expect(sites(`${INNER} ${CALLERS} int (*const table[])(int) = { inner };`).found).toBeNull();
  });

  it.each([
    ["nearby", "", 2],
    ["far from it", SWITCH.replace("int f", "int between"), 5],
  ])("is not known to be if a function %s ends in a jump to it", (_, between, bytes) => {
    const { found, lines } = sites(`${INNER} ${between} int f(int a) { touch(0); return inner(a + 1); } ${CALLERS}`);
    expect(lines.some((line) => /^jmp .*<inner>/.test(line.text) && line.bytes.length === bytes)).toBe(true);
    expect(found).toBeNull();
  });
});
