/** Instructions of real programs as objdump(1) takes them apart, and some by hand. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeX86, type Instruction } from "../../../src/kernel/tls/x86-instruction.ts";
import { buildGo } from "../../support/go.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

/** Objdump's line: address, bytes, mnemonic and operands. */
const LINE = /^ *([0-9a-f]+):\t((?:[0-9a-f]{2} )+) *(?:\t(.*))?$/;

interface Expected {
  readonly at: number;
  readonly bytes: number;
  readonly text: string;
}

function textOf(program: string) {
  const sections = execFileSync("readelf", ["-SW", program], { encoding: "utf8" });
  const [, address, offset, size] = /\] \.text +PROGBITS +([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+)/.exec(sections)!;
  const [start, from, bytes] = [address, offset, size].map((text) => Number.parseInt(text!, 16)) as number[];
  return { start: start!, code: readFileSync(program).subarray(from, from! + bytes!) };
}

/** Of the first `bytes` of the code. */
function objdump(program: string, start: number, bytes: number): Expected[] {
  const range = [`--start-address=${start}`, `--stop-address=${start + bytes}`];
  const options = ["-d", "-w", "--insn-width=16", "-j", ".text", ...range];
  const lines = execFileSync("objdump", [...options, program], { encoding: "utf8", maxBuffer: 1 << 30 }).split("\n");
  return lines.flatMap((line) => {
    const [, address, code, text = ""] = LINE.exec(line) ?? [];
    if (address === undefined || text === "(bad)") return [];
    return [{ at: Number.parseInt(address, 16) - start, bytes: code!.trim().split(" ").length, text }];
  });
}

function targetOf(text: string, start: number): number | null {
  const [, target] = /^(?:bnd |notrack )?(?:j\w+|loop\w*)(?:,p[nt])? +(?:0x)?([0-9a-f]+)/.exec(text) ?? [];
  return target === undefined ? null : Number.parseInt(target, 16) - start;
}

function firstDifference(program: string, bytes: number): unknown {
  const { start, code } = textOf(program);
  const expected = objdump(program, start, Math.min(bytes, code.length)).filter(({ at }) => at < bytes - 16);
  expect(expected.length).toBeGreaterThan(bytes / 20);
  for (const { at, bytes, text } of expected) {
    const found = decodeX86(code, at);
    const target = found === null || found.jump === null ? null : at + found.jump;
    const isSame = found?.bytes === bytes && found.isReturn === /^(repz |bnd )?ret/.test(text);
    if (!isSame || target !== targetOf(text, start)) return { at, bytes, text, found };
  }
  return null;
}

describe("all instructions, as objdump has them", () => {
  it("of a program of Go", { timeout: 300_000 }, async () => {
    expect(firstDifference(await buildGo("stripped"), 2_000_000)).toBeNull();
  });

  it("of Node, with its vector instructions", { timeout: 120_000 }, () => {
    expect(firstDifference(process.execPath, 3_000_000)).toBeNull();
  });
});

describe("by hand", () => {
  const cases: readonly [code: string, name: string, expected: Partial<Instruction>][] = [
    ["c3", "ret", { bytes: 1, isReturn: true, jump: null }],
    ["c2 08 00", "ret $8", { bytes: 3, isReturn: true, jump: null }],
    ["48 b8 c3 c3 c3 c3 c3 c3 c3 c3", "movabs with c3 in it", { bytes: 10, isReturn: false, jump: null }],
    ["66 b8 c3 c3", "mov $c3c3,%ax", { bytes: 4, isReturn: false, jump: null }],
    ["76 fe", "jbe to itself", { bytes: 2, isReturn: false, jump: 0 }],
    ["0f 86 74 03 00 00", "jbe near", { bytes: 6, isReturn: false, jump: 0x37a }],
    ["f6 05 c3 c3 c3 c3 01", "testb, alone in its group with an immediate", { bytes: 7, isReturn: false, jump: null }],
    ["e8 00 01 00 00", "call", { bytes: 5, isReturn: false, jump: null, call: 0x105 }],
    ["41 0f b6 04 24", "movzbl", { bytes: 5, opcode: 0x0fb6, opcodeAt: 1, rex: 0x41, modrmAt: 3, call: null }],
    ["f7 d8", "neg", { bytes: 2, isReturn: false, jump: null }],
    ["f3 0f b8 c3", "popcnt", { bytes: 4, isReturn: false, jump: null }],
    ["c5 f8 77", "vzeroupper", { bytes: 3, isReturn: false, jump: null }],
    ["62 f1 fe 48 6f 47 01", "vmovdqu64, EVEX", { bytes: 7, isReturn: false, jump: null }],
  ];
  it.each(cases)("%s: %s", (code, _, expected) => expect(decodeX86(hex(code), 0)).toMatchObject(expected));

  it.each(["06", "9a 00 00 00 00 00 00", "0f a6 c0", "66 e9 00 00 00 00", "8f e8 78 c3 c0 01", "48", "0f", "e8 00 00"])(
    "%s: none that 64-bit code has, or cut off",
    (code) => expect(decodeX86(hex(code), 0)).toBeNull(),
  );

  it("any bytes: at most 15, and all there", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        const found = decodeX86(bytes, 0);
        expect(found === null || (found.bytes > 0 && found.bytes <= Math.min(15, bytes.length))).toBe(true);
      }),
      { numRuns: 20_000 },
    );
  });
});
