/** Where calls are seen to end, compared with what objdump(1) says of the same code. */
import { describe, expect, it } from "vitest";
import { libraries, soughtNames } from "../../src/kernel/tls/functions.ts";
import { type Placement, placementsOf } from "../../src/kernel/tls/placements.ts";
import { cheapEnd } from "../../src/kernel/tls/places.ts";
import { addressesOf, behindCallsOf, disassemble, type Line, returnsIn, withElf } from "../support/machine-code.ts";
import { compileOpenSsl, compileProgramWithOpenSsl, isEnd, parts, withPlacements } from "../support/openssl-forms.ts";

function offsetsOf(placements: readonly Placement[]): number[] {
  return placements.flatMap(({ offsets }) => offsets).sort((a, b) => a - b);
}

/** What other compilers make of SSL_read: `r > 0 ? (int)l : r` by CMOVG. */
function readByMove(length: string, canary: string): string {
  return `
static __attribute__((noinline, used)) int read_inner(void *s, void *b, size_t n, size_t *l) {
  int r = work(s, b, n, l); touch(s); return r > 3 ? work(s, b, n, l) : r; }
int SSL_read_ex(void *s, void *b, size_t n, size_t *l) { int r = read_inner(s, b, n, l); return r < 0 ? 0 : r; }
asm(".text; .globl SSL_read; .type SSL_read, @function; SSL_read: .cfi_startproc; sub $0x18, %rsp; .cfi_adjust_cfa_offset 24;"
    "mov %fs:0x28, %rax; mov %rax, ${canary}; xor %eax, %eax; lea ${length}, %rcx; movslq %edx, %rdx; call read_inner;"
    "test %eax, %eax; cmovg ${length}, %eax; mov ${canary}, %rdx; sub %fs:0x28, %rdx; jne 1f; add $0x18, %rsp; ret;"
    "1: hlt; .cfi_endproc; .size SSL_read, .-SSL_read");`;
}

interface End {
  /** The function that was called, and the address right behind the call. */
  readonly target: string;
  readonly site: number;
  readonly address: number;
  /** What comes between. */
  readonly between: readonly string[];
}

/** Behind which calls these addresses are, as objdump tells it. */
function endsOf(lines: readonly Line[], addresses: readonly number[]): End[] {
  return addresses.map((address) => {
    const index = lines.findIndex((line) => line.address === address);
    const call = lines.findLastIndex(({ text }, i) => i < index && text.startsWith("call"));
    const between = lines.slice(call + 1, index).map(({ text }) => text.replace(/ *(#.*)?$/, ""));
    return { target: lines[call]!.text.split(/ +/)[1]!, site: lines[call + 1]!.address, address, between };
  });
}

/** They leave the stack pointer, and the result as far as its sign goes. */
function keepsResult(between: readonly string[]): boolean {
  return between.every((text, i) => {
    if (/^(test|cmp|nop)/.test(text)) return true;
    if (/^cmovg .*,%eax$/.test(text)) return /^test +%eax,%eax$/.test(between[i - 1] ?? "");
    return /^(mov|lea|xor|sub|add|cmov)/.test(text) && !/%(rsp|rax|eax|ax|al)$/.test(text);
  });
}

/** All calls that have the same target as one of these. */
function expectEnds(path: string, isDone: (ends: readonly End[]) => boolean = () => true): void {
  const lines = disassemble(path);
  withPlacements(path, (placements, { elf }) => {
    expect(placements.filter(({ isReturn }) => isReturn)).toEqual([]);
    const returns = new Set(returnsIn(lines));
    const ends = offsetsOf(placements.filter(isEnd)).map((offset) => elf.codeAddress(offset)!);
    const behind = ends.filter((address) => !returns.has(address));
    const found = endsOf(lines, behind);
    expect(found.filter(({ between }) => !keepsResult(between))).toEqual([]);
    const targets = new Set(found.map(({ target }) => target));
    const sites = [...targets].flatMap((target) => behindCallsOf(lines, target)).sort((a, b) => a - b);
    expect(found.map(({ site }) => site)).toEqual(sites);
    expect(isDone(found)).toBe(true);
  });
}

describe.runIf(process.arch === "x64")("the ends of calls", () => {
  const moves = (ends: readonly End[]) => ends.some(({ between }) => between.some((text) => /^cmovg/.test(text)));
  const branches = (ends: readonly End[]) => ends.some(({ between }) => between.at(-1) === "test   %eax,%eax");

  it("are where calls are seen to begin, by return probes, if the code is not known", () => {
    const path = compileOpenSsl("unknown", parts.read, parts.write);
    const found = withElf(path, (elf) => elf.functions(soughtNames))!;
    const placements = placementsOf(libraries[0]!, found)!;
    expect(placements.filter(isEnd).every(({ isReturn }) => isReturn)).toBe(true);
    expect(offsetsOf(placements.filter(isEnd))).toEqual([...found.values()].sort((a, b) => a - b));
    expect(offsetsOf(placements.filter((one) => !isEnd(one)))).toEqual(offsetsOf(placements.filter(isEnd)));
  });

  it("are right behind the calls of what is shared", () => {
    expectEnds(compileOpenSsl("behind", parts.read, parts.write), (ends) => ends.length === 4 && branches(ends));
    expectEnds(compileOpenSsl("behindFlags", parts.read, parts.writeWithFlags), (ends) => ends.length === 4);
  });

  it.each([
    ["(%rsp)", "8(%rsp)"],
    ["8(%rsp)", "16(%rsp)"],
  ])("are past the move of the length at %s that leaves the sign of the result", (length, canary) => {
    const name = `move${length.length}`;
    expectEnds(
      compileOpenSsl(name, readByMove(length, canary), parts.write),
      (ends) => ends.length === 4 && moves(ends),
    );
  });

  it("are right behind the calls in OpenSSL", () => {
    expectEnds("/usr/lib/x86_64-linux-gnu/libssl.so.3", (ends) => ends.length >= 4 && branches(ends));
  });
});

describe.runIf(process.arch === "x64")("a function that is called for each message", () => {
  const own = `
int SSL_read(void *s, void *b, int n) { touch(s); return work(s, b, n, 0) + 1; }
int SSL_write(void *s, const void *b, int n) { touch(s); return put(s, b, n, 0) + 2; }
int SSL_do_handshake(void *s) { touch(s); return work(s, 0, 0, 0) + 3; }`;
  const catches = "extern void __cxa_begin_catch(void *); void caught(void *e) { __cxa_begin_catch(e); touch(e); }";

  /** Functions that end by return probes. */
  function probed(path: string): string[] {
    const entries = addressesOf(path);
    return withPlacements(path, (placements, { elf }) => {
      const at = offsetsOf(placements.filter(({ isReturn }) => isReturn)).map((offset) => elf.codeAddress(offset)!);
      const names = [...entries].filter(([, address]) => at.some((one) => one >= address && one < address + 8));
      return names.map(([name]) => name).sort();
    });
  }

  it("has a return probe in a program that catches nothing", () => {
    expect(probed(compileProgramWithOpenSsl("program", own))).toEqual(["SSL_read", "SSL_write"]);
  });

  it("has none in a program that catches exceptions, and in a library", () => {
    expect(probed(compileProgramWithOpenSsl("catching", own, catches))).toEqual([]);
    expect(probed(compileOpenSsl("library", own))).toEqual([]);
  });
});

describe("the end of a call", () => {
  const end = (hex: string) => cheapEnd(Buffer.from(hex.replaceAll(" ", ""), "hex"));

  it("is at a branch behind what leaves its result", () => expect(end("85 c0 7e 04")).toBe(2));
  it("is right behind the call if the result changes", () => expect(end("83 c0 01 7e 04")).toBe(0));
  it("is right behind the call if the stack pointer does", () => expect(end("48 83 c4 18 7e 04")).toBe(0));
  it("is right behind the call if nothing cheap follows", () => expect(end("85 c0 0f 4f 04 24 c3")).toBe(0));
  it("is past CMOVG, and not past CMOVLE", () => {
    expect(end("85 c0 0f 4f 44 24 08 75 0c")).toBe(7);
    expect(end("85 c0 0f 4f 04 24 75 0c")).toBe(6);
    expect(end("85 c0 0f 4e 44 24 08 75 0c")).toBe(0);
  });
});
