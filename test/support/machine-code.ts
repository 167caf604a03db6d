/** Libraries of C made for a test, and what objdump(1) and nm(1) say of machine code. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { ElfFile } from "../../src/kernel/tls/elf.ts";
import { X86Code } from "../../src/kernel/tls/x86-code.ts";

const OUTPUT = { encoding: "utf8", maxBuffer: 1 << 28 } as const;

/** Removed after the tests of the file. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "l7prof-"));
  afterAll(() => rmSync(directory, { recursive: true }));
  return directory;
}

export function compileLibrary(directory: string, name: string, source: string, flags: readonly string[] = []): string {
  return compile(directory, name, source, ["-shared", "-fPIC", ...flags]);
}

/** With `main`; it does not run: what it calls is not there. */
export function compileMain(directory: string, name: string, source: string, flags: readonly string[] = []): string {
  return compile(directory, name, source, ["-rdynamic", "-Wl,--unresolved-symbols=ignore-all", ...flags]);
}

/** Code that is at a fixed address. It does not run: what it calls is not there. */
export function compileProgram(directory: string, name: string, source: string, flags: readonly string[] = []): string {
  const linking = ["-no-pie", "-fno-pie", "-nostdlib", "-Wl,-e,f", "-Wl,--unresolved-symbols=ignore-all"];
  return compile(directory, name, source, [...linking, ...flags]);
}

/** The path of what is made. */
function compile(directory: string, name: string, source: string, flags: readonly string[]): string {
  const path = join(directory, `${name}.so`);
  writeFileSync(join(directory, `${name}.c`), source);
  execFileSync("cc", ["-O2", ...flags, "-o", path, join(directory, `${name}.c`)]);
  return path;
}

export interface Line {
  readonly address: number;
  readonly bytes: Buffer;
  readonly text: string;
  /** The function that objdump takes it for a part of. */
  readonly symbol: string;
}

export function disassemble(path: string): Line[] {
  const lines = execFileSync("objdump", ["-d", "-w", "-z", "--insn-width=16", path], OUTPUT).split("\n");
  let symbol = "";
  return lines.flatMap((line) => {
    symbol = /^[0-9a-f]+ <(.+)>:$/.exec(line)?.[1] ?? symbol;
    const [, at, hex, text] = /^ *([0-9a-f]+):\t((?:[0-9a-f]{2} )+) *\t(.*)$/.exec(line) ?? [];
    if (text === undefined) return [];
    return [{ address: Number.parseInt(at!, 16), bytes: Buffer.from(hex!.replaceAll(" ", ""), "hex"), text, symbol }];
  });
}

/** The addresses of the instructions that return. */
export function returnsIn(lines: readonly Line[], ...symbols: string[]): number[] {
  const isWanted = (symbol: string) => symbols.length === 0 || symbols.includes(symbol);
  return lines.filter(({ text, symbol }) => /\bret\b/.test(text) && isWanted(symbol)).map(({ address }) => address);
}

/** The addresses right behind the calls of a function, by its name or its address as objdump writes it. */
export function behindCallsOf(lines: readonly Line[], target: string): number[] {
  const calls = lines.filter(({ text }) => {
    const [, address, name] = /^call +([0-9a-f]+) <(.+)>/.exec(text) ?? [];
    return address === target || name === target;
  });
  return calls.map(({ address, bytes }) => address + bytes.length);
}

/** Address → name; the code of a small library lies at its address. `options`: of nm(1). */
export function symbolsOf(path: string, ...options: string[]): Map<number, string> {
  const lines = execFileSync("nm", [...options, path], OUTPUT).split("\n");
  return new Map(lines.map((line) => [Number.parseInt(line, 16), line.split(" ")[2] ?? ""]));
}

export function addressesOf(path: string, ...options: string[]): Map<string, number> {
  return new Map([...symbolsOf(path, ...options)].map(([address, name]) => [name.replace(/@.*/, ""), address]));
}

/** Null: it is no ELF file. */
export function withElf<T>(path: string, use: (elf: ElfFile) => T): T | null {
  const fd = openSync(path, "r");
  try {
    const elf = ElfFile.open(fd);
    return elf === null ? null : use(elf);
  } finally {
    closeSync(fd);
  }
}

/** Null: it is no ELF file, or for another machine. */
export function withX86Code<T>(path: string, use: (code: X86Code) => T): T | null {
  return withElf(path, (elf) => {
    const code = X86Code.of(elf);
    return code === null ? null : use(code);
  });
}
