/** bpf/events.h and src/core/record-layout.ts are one contract: a C compiler says what the header means. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as contract from "../../src/core/record-layout.ts";

const HEADER = fileURLToPath(new URL("../../bpf/events.h", import.meta.url));
const fields = Object.entries(contract.LAYOUT).flatMap(([structure, layout]) =>
  Object.entries(layout).map(([field, [offset, size]]) => ({ structure, field, offset, size })),
);
const sizes = Object.entries(contract.SIZES);
const constants = Object.entries(contract).flatMap(([name, value]): [string, number][] =>
  /^[A-Z]+(_[A-Z]+)+$/.test(name) && typeof value === "number" ? [[name, value]] : [],
);

let directory: string;
/** What the program says: name → value. */
let said: Record<string, number>;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "l7prof-"));
  const source = join(directory, "layout.c");
  const program = join(directory, "layout");
  writeFileSync(source, layoutProgram());
  execFileSync("cc", ["-std=gnu11", "-Wall", "-Werror", "-o", program, source]);
  said = JSON.parse(execFileSync(program, { encoding: "utf8" }));
});

afterAll(() => rmSync(directory, { recursive: true }));

function layoutProgram(): string {
  const lines = [
    ...fields.flatMap(({ structure, field }) => [
      say(`${structure}.${field} offset`, `offsetof(struct ${structure}, ${field})`),
      say(`${structure}.${field} size`, `sizeof(((struct ${structure} *)0)->${field})`),
    ]),
    ...sizes.map(([structure]) => say(structure, `sizeof(struct ${structure})`)),
    ...constants.map(([name]) => say(name, name)),
  ];
  return `#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
#include ${JSON.stringify(HEADER)}
int main(void)
{
  printf("{\\"\\": 0");
${lines.join("\n")}
  printf("}");
  return 0;
}
`;
}

function say(name: string, value: string): string {
  return `  printf(", \\"${name}\\": %ld", (long)(${value}));`;
}

it.each(fields)("$structure.$field lies at $offset, $size bytes long", ({ structure, field, offset, size }) => {
  expect([said[`${structure}.${field} offset`], said[`${structure}.${field} size`]]).toEqual([offset, size]);
});

it.each(sizes)("struct %s is %d bytes long", (structure, size) => {
  expect(said[structure]).toBe(size);
});

it.each(constants)("%s is %d", (name, value) => {
  expect(said[name]).toBe(value);
});

it("records are a multiple of 8 long, so that each begins at one in the ring and in a recording", () => {
  for (const [structure, size] of sizes) if (structure.endsWith("event")) expect(size % 8).toBe(0);
});
