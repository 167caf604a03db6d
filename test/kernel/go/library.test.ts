/** Places in real programs of Go, compared with what Go's own tools say, and files that are broken or hostile. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EM_AARCH64, EM_X86_64 } from "../../../src/kernel/tls/elf.ts";
import { isStackCheck, placesOf } from "../../../src/kernel/tls/go/code.ts";
import { goPlacements } from "../../../src/kernel/tls/go/library.ts";
import { Pclntab } from "../../../src/kernel/tls/go/pclntab.ts";
import { buildGo, type GoBuild, goBuilds } from "../../support/go.ts";
import { withElf } from "../../support/machine-code.ts";

const READ = "crypto/tls.(*Conn).Read";
const builds = Object.keys(goBuilds) as GoBuild[];
const programs = new Map<GoBuild, string>();
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "l7prof-"));
  for (const build of builds) programs.set(build, await buildGo(build));
}, 600_000);

afterAll(() => rmSync(directory, { recursive: true }));

const placementsIn = (path: string) => withElf(path, goPlacements);

function offsetsIn(path: string): Record<string, readonly number[]> {
  const placements = placementsIn(path);
  if (!Array.isArray(placements)) throw new Error(`${path}: ${placements}`);
  return Object.fromEntries(placements.map(({ program, offsets }) => [program, offsets]));
}

interface GoFunction {
  readonly name: string;
  readonly start: number;
  readonly returns: number[];
}

/** By Go's own disassembler, which needs the symbols; addresses. */
function disassemble(path: string, functions: string): GoFunction[] {
  const text = execFileSync("go", ["tool", "objdump", "-s", functions, path], { encoding: "utf8", maxBuffer: 1 << 28 });
  return text.split(/^TEXT /m).flatMap((part) => {
    const lines = [...part.matchAll(/^ +\S+\t+0x([0-9a-f]+)\t+[0-9a-f]+\t+(\S+)/gm)];
    if (lines.length === 0) return [];
    const returns = lines.filter(([, , mnemonic]) => mnemonic === "RET").map(([, at]) => Number.parseInt(at!, 16));
    const name = part.slice(0, part.indexOf("(SB)"));
    return [{ name, start: Number.parseInt(lines[0]![1]!, 16), returns }];
  });
}

describe("a program with symbols", () => {
  it("all returns of Read, Write and both handshakes, where Go's disassembler has them", () => {
    const path = programs.get("plain")!;
    const names = "^crypto/tls.\\(\\*Conn\\).(Read|Write|clientHandshake|serverHandshake)$";
    const expected = disassemble(path, names).flatMap(({ returns }) => returns);
    const found = withElf(path, (elf) => expected.map((address) => elf.fileOffset(address)));
    expect(expected.length).toBeGreaterThan(20);
    expect([...offsetsIn(path).l7p_go_end!].sort()).toEqual(found!.sort());
  });

  it("every function of crypto/tls that begins with a stack check is understood, its returns are the disassembler's", () => {
    const path = programs.get("plain")!;
    const listed = disassemble(path, "^crypto/tls\\.");
    const names = listed.map(({ name }) => name);
    withElf(path, (elf) => {
      const stretches = Pclntab.of(elf)!.find(names);
      const textStart = listed[0]!.start - stretches.get(listed[0]!.name)!.start;
      let compared = 0;
      for (const { name, start, returns } of listed) {
        const stretch = stretches.get(name);
        if (stretch === undefined || returns.length === 0) continue;
        expect(textStart + stretch.start).toBe(start);
        const code = elf.contents({ offset: elf.fileOffset(start)!, bytes: stretch.bytes });
        if (!isStackCheck(elf.machine, code)) continue;
        expect([name, placesOf(elf.machine, code)?.returns]).toEqual([name, returns.map((at) => at - start)]);
        compared++;
      }
      expect(compared).toBeGreaterThan(200);
    });
  });
});

describe.each(builds)("%s", (build) => {
  it("has entries and returns at instructions that the kernel takes: push or jbe, and ret", () => {
    const path = programs.get(build)!;
    const bytes = readFileSync(path);
    const { l7p_go_end: returns, ...entries } = offsetsIn(path);
    expect(returns!.map((at) => bytes[at])).toEqual(returns!.map(() => 0xc3));
    expect(Object.keys(entries).sort()).toEqual(["l7p_go_read", "l7p_go_shake", "l7p_go_write"]);
    for (const at of Object.values(entries).flat()) expect([0x55, 0x76, 0x0f]).toContain(bytes[at]);
  });
});

it("a stripped program has the places of the one with symbols", () => {
  expect(offsetsIn(programs.get("stripped")!)).toEqual(offsetsIn(programs.get("plain")!));
});

it("without section headers the table is searched for", () => {
  const bare = join(directory, "bare");
  const bytes = readFileSync(programs.get("stripped")!);
  bytes.writeBigUInt64LE(0n, 40); // e_shoff
  bytes.writeUInt16LE(0, 60); // e_shnum
  bytes.writeUInt16LE(0, 62); // e_shstrndx
  writeFileSync(bare, bytes);
  expect(offsetsIn(bare)).toEqual(offsetsIn(programs.get("stripped")!));
});

it("a program that the system's linker has put together, with C code before Go's", { timeout: 300_000 }, () => {
  const linked = join(directory, "linked");
  const source = join(directory, "linked.go");
  const program = `package main\n\nimport (\n\t"C"\n\t"crypto/tls"\n)\n\nfunc main() {\n\tconn, _ := tls.Dial("tcp", "", nil)\n\tconn.Read(nil)\n\tconn.Write(nil)\n}\n`;
  writeFileSync(source, program);
  const flags = ["-buildmode=pie", "-ldflags=-linkmode=external"];
  execFileSync("go", ["build", ...flags, "-o", linked, source], {
    env: { ...process.env, CGO_ENABLED: "1", CC: "clang-19" },
  });
  const expected = disassemble(linked, "^crypto/tls.\\(\\*Conn\\).Read$")[0]!;
  const offsets = withElf(linked, (elf) => expected.returns.map((address) => elf.fileOffset(address)));
  expect(offsetsIn(linked).l7p_go_end).toEqual(expect.arrayContaining(offsets!));
});

describe("what is no program with crypto/tls", () => {
  it.each(["/bin/sh", process.execPath])("%s", (path) => expect(placementsIn(path)).toBeNull());
});

describe("a hostile file", () => {
  it("with any bytes of its tables changed makes no exception, and no breakpoint but at a return", {
    timeout: 120_000,
  }, () => {
    const path = programs.get("stripped")!;
    const changed = join(directory, "changed");
    copyFileSync(path, changed);
    const original = readFileSync(path);
    const [table, read] = withElf(path, (elf) => {
      const { offset, bytes } = elf.section(".gopclntab")!;
      return [{ offset, bytes }, offsetsIn(path).l7p_go_read![0]!] as const;
    })!;
    // Of the ELF header, the table's header, its functions, and the code.
    const ranges = [
      [0, 4096],
      [table.offset, 80],
      [table.offset, table.bytes],
      [read - 16, 1024],
    ] as const;
    const change = fc.tuple(fc.nat(ranges.length - 1), fc.nat(1 << 30), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const copy = Buffer.from(original);
        for (const [range, at, value] of changes) copy[ranges[range]![0] + (at % ranges[range]![1])] = value;
        writeFileSync(changed, copy);
        const placements = placementsIn(changed);
        if (!Array.isArray(placements)) return;
        const end = placements.find(({ program }) => program === "l7p_go_end")!;
        for (const at of end.offsets) expect(copy[at]).toBe(0xc3);
      }),
      { numRuns: 150 },
    );
  });

  it("with tables that claim to be endless takes no endless time", { timeout: 20_000 }, () => {
    const table = Buffer.alloc(1 << 20);
    table.writeUInt32LE(0xfffffff1, 0);
    table.set([1, 8], 6);
    for (let word = 0; word < 8; word++) table.writeBigUInt64LE(0xffff_ffff_ffffn, 8 + 8 * word);
    expect(Pclntab.parse(table)!.find([READ]).size).toBe(0);
    for (const [word, value] of [1n << 40n, 1n, 0n, 72n, 1n << 19n, 0n, 0n, 72n].entries())
      table.writeBigUInt64LE(value, 8 + 8 * word);
    table.write(`\0${READ}\0`, 72, "latin1");
    expect(Pclntab.parse(table)!.find([READ]).size).toBe(0);
  });
});

describe("code by hand", () => {
  const CHECK = "493b6610 7610 55"; // cmp 0x10(%r14),%rsp; jbe +0x10; push %rbp
  const x86 = (text: string) => placesOf(EM_X86_64, Buffer.from(text.replaceAll(" ", ""), "hex"));

  it("a return is one, and not a byte of another instruction", () => {
    // movabs $0xc3c3c3c3c3c3c3c3,%rax; pop %rbp; ret; nops; jmp to the beginning
    const code = `${CHECK} 48b8c3c3c3c3c3c3c3c3 5d c3 90 90 90 ebe8`;
    expect(x86(code)).toEqual({ entry: 6, returns: [18], keepsArguments: false });
  });

  const refused: readonly [why: string, code: string][] = [
    ["a jump into an instruction", `${CHECK} 48b8c3c3c3c3c3c3c3c3 5d c3 90 90 90 ebf3`],
    ["a jump out of the function", `${CHECK} 48b8c3c3c3c3c3c3c3c3 5d c3 90 90 90 eb7f`],
    ["an unknown instruction", `${CHECK} 06 5d c3 90 90 90 90 90 90 90 90 90 90 90 90`],
    ["an instruction that is cut off", `${CHECK} 5d c3 90 90 90 90 90 90 90 90 90 90 90 90 48b8`],
    ["no return", `${CHECK} 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90`],
    ["a return of another kind", `${CHECK} f3c3 90 90 90 90 90 90 90 90 90 90 90 90 90 90`],
    ["no stack check", "55 5d c3"],
    ["nothing", ""],
  ];
  it.each(refused)("%s: no places", (_, code) => expect(x86(code)).toBeNull());

  it("arm64: ldr x16,[x28,#16]; cmp sp,x16; b.ls; …; ret", () => {
    const words = [0xf9400b90, 0xeb3063ff, 0x540000e9, 0xd503201f, 0xd65f03c0, 0xd503201f, 0xd65f03c0, 0x17fffff9];
    const code = Buffer.alloc(4 * words.length);
    for (const [i, word] of words.entries()) code.writeUInt32LE(word, 4 * i);
    expect(placesOf(EM_AARCH64, code)).toEqual({ entry: 8, returns: [16, 24], keepsArguments: false });
  });
});
