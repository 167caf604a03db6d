/** The symbols of real ELF files, compared with what readelf(1) says, and files that are broken. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { libraries } from "../../src/kernel/tls/functions.ts";
import { placementsOf } from "../../src/kernel/tls/placements.ts";
import { withElf } from "../support/machine-code.ts";

const names = new Set(["first", "second", "sixth", "elsewhere", "puts", "variable"]);
const source = `
#include <stdio.h>
int variable = 1;
int first(void) { return puts("1"); }
static int second(void) { return 2; }
int sixth(void) { return second() + 4; }
`;

let directory: string;
let library: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "l7prof-"));
  library = join(directory, "library.so");
  writeFileSync(join(directory, "library.c"), source);
  execFileSync("cc", ["-O0", "-shared", "-fPIC", "-o", library, join(directory, "library.c")]);
});

afterAll(() => rmSync(directory, { recursive: true }));

function functionsOf(path: string, wanted: ReadonlySet<string> = names): Map<string, number> | null {
  return withElf(path, (elf) => elf.functions(wanted));
}

/** Address → offset in the file: both are the same page of the code segment, as readelf tells it. */
function expected(): Map<string, number> {
  const symbols = execFileSync("readelf", ["-sW", library], { encoding: "utf8" });
  const segments = execFileSync("readelf", ["-lW", library], { encoding: "utf8" });
  const [, offset, address] = /LOAD +(0x[0-9a-f]+) (0x[0-9a-f]+) \S+ \S+ \S+ R E/.exec(segments)!;
  const wanted = [...symbols.matchAll(/: ([0-9a-f]+) +\d+ FUNC +\S+ +\S+ +\d+ (\w+)$/gm)].filter(([, , name]) =>
    names.has(name!),
  );
  return new Map(wanted.map(([, at, name]) => [name!, Number.parseInt(at!, 16) - Number(address) + Number(offset)]));
}

describe("functions of a library", () => {
  it("are those that it defines, static ones too, where readelf says", () => {
    expect([...functionsOf(library)!.keys()].sort()).toEqual(["first", "second", "sixth"]);
    expect(functionsOf(library)).toEqual(expected());
  });

  it("are those that it exports when it is stripped", () => {
    const stripped = join(directory, "stripped.so");
    execFileSync("strip", ["-o", stripped, library]);
    expect([...functionsOf(stripped)!.keys()].sort()).toEqual(["first", "sixth"]);
  });

  it("are all those that nm says it exports, of a real library and of Node's 75,000", () => {
    for (const path of ["/usr/lib/x86_64-linux-gnu/libssl.so.3", process.execPath]) {
      const lines = execFileSync("nm", ["-D", "--defined-only", path], { encoding: "utf8", maxBuffer: 1 << 28 });
      const exported = [...lines.matchAll(/^[0-9a-f]+ T (\w+)/gm)].map(([, name]) => name!);
      const stride = Math.floor(exported.length / 7);
      const some = new Set(exported.filter((_, i) => i % stride === 0));
      expect(some.size).toBeGreaterThan(3);
      expect(new Set(functionsOf(path, some)!.keys())).toEqual(some);
    }
  });

  it("no file is one: empty, text, cut off", () => {
    const file = join(directory, "broken");
    const bytes = readFileSync(library);
    for (const content of [
      "",
      "#!/bin/sh\n".repeat(20),
      bytes.subarray(0, 64),
      bytes.subarray(0, bytes.length - 100),
    ]) {
      writeFileSync(file, content);
      expect(functionsOf(file)).toBeNull();
    }
  });

  it("a file with any bytes changed makes no exception", () => {
    const bytes = readFileSync(library);
    const file = join(directory, "changed");
    const change = fc.tuple(fc.nat(4096), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 20 }), fc.boolean(), (changes, isFromEnd) => {
        const copy = Buffer.from(bytes);
        for (const [at, value] of changes)
          copy[isFromEnd ? copy.length - 1 - (at % copy.length) : at % copy.length] = value;
        writeFileSync(file, copy);
        functionsOf(file);
      }),
      { numRuns: 300 },
    );
  });
});

describe("placements", () => {
  const [openssl] = libraries;

  it("need reading and writing", () => {
    expect(placementsOf(openssl!, new Map([["SSL_read", 1]]))).toBeNull();
  });

  it("put what ends before what begins, each program once, and have return probes where the code is not known", () => {
    const found = new Map([
      ["SSL_read", 16],
      ["SSL_write", 32],
      ["SSL_read_ex", 48],
      ["SSL_read_early_data", 64],
    ]);
    expect(placementsOf(openssl!, found)).toEqual([
      { program: "l7p_tls_end", isReturn: true, offsets: [16, 48, 64, 32] },
      { program: "l7p_tls_read", isReturn: false, offsets: [16] },
      { program: "l7p_tls_read_ex", isReturn: false, offsets: [48, 64] },
      { program: "l7p_tls_write", isReturn: false, offsets: [32] },
    ]);
  });
});
