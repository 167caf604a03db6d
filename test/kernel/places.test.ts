/** Where probes are placed in functions of x86-64, compared with what objdump(1) and nm(1) say of the same code. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { cheapPlace, innerOf } from "../../src/kernel/tls/places.ts";
import { effectAt, RCX, RDI, RSI } from "../../src/kernel/tls/x86-effect.ts";
import { disassemble, symbolsOf } from "../support/machine-code.ts";
import { compileOpenSsl, isEnd, parts, withPlacements } from "../support/openssl-forms.ts";

describe.runIf(process.arch === "x64")("instructions", () => {
  test("of a whole library are as long as objdump says, and lead where it says", () => {
    let known = 0;
    const wrong: string[] = [];
    for (const { address, bytes, text } of disassemble("/usr/lib/x86_64-linux-gnu/libssl.so.3")) {
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

/** `PROGRAM at FUNCTION+OFFSET`, those that begin and not those that end. */
function placed(path: string): string[] {
  const symbols = symbolsOf(path);
  return withPlacements(path, (placements) =>
    placements
      .filter((one) => !isEnd(one))
      .flatMap(({ program, offsets }) => offsets.map((offset) => `${program} ${symbols.get(offset) ?? offset}`))
      .sort(),
  );
}

describe.runIf(process.arch === "x64")("functions that share another", () => {
  it("are probed in that", () => {
    expect(placed(compileOpenSsl("shared", parts.read, parts.write))).toEqual([
      "l7p_tls_read_inner read_inner",
      "l7p_tls_write_ex write_inner",
    ]);
  });

  it("with one argument more", () => {
    expect(placed(compileOpenSsl("flags", parts.read, parts.writeWithFlags))).toEqual([
      "l7p_tls_read_inner read_inner",
      "l7p_tls_write_inner write_inner",
    ]);
  });

  it("are probed themselves if they hand on something else", () => {
    expect(placed(compileOpenSsl("other", parts.other, parts.write))).toEqual([
      "l7p_tls_read SSL_read",
      "l7p_tls_read_ex SSL_read_ex",
      "l7p_tls_write_ex write_inner",
    ]);
  });

  it("are probed themselves if only one of them does", () => {
    const [alone] = parts.write.split("int SSL_write_ex");
    expect(placed(compileOpenSsl("alone", parts.read, alone!))).toEqual([
      "l7p_tls_read_inner read_inner",
      "l7p_tls_write SSL_write",
    ]);
  });
});
