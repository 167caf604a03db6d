/** Go's crypto/tls in a program: where in its file the breakpoints go, and which program of bpf/tls.bpf.c to each. */
import { type ElfFile, EM_AARCH64, EM_X86_64 } from "../elf.ts";
import type { Placement } from "../placements.ts";
import { isStackCheck, placesOf } from "./code.ts";
import { Pclntab, type Stretch } from "./pclntab.ts";

export const GO_LIBRARY = "Go crypto/tls";

const READ = "crypto/tls.(*Conn).Read";
const WRITE = "crypto/tls.(*Conn).Write";
/**
 * The program at the entry of each, in the order in which to attach: a session begins with a handshake, and is then
 * seen completely. All share the program at the returns, and the cookies there tell which function it is: `kind`,
 * TLS_… of bpf/tls-call.bpf.h. Read and Write are what net/http calls, and what io.Copy comes to, which finds neither
 * ReadFrom nor WriteTo.
 */
const FUNCTIONS: Readonly<Record<string, { readonly program: string; readonly kind: number }>> = {
  [READ]: { program: "l7p_go_read", kind: 1 },
  [WRITE]: { program: "l7p_go_write", kind: 2 },
  "crypto/tls.(*Conn).clientHandshake": { program: "l7p_go_shake", kind: 3 },
  "crypto/tls.(*Conn).serverHandshake": { program: "l7p_go_shake", kind: 3 },
};
const END = "l7p_go_end";
/** GO_KEEPS_ARGUMENTS of bpf/go-call.bpf.h: of a Read that had begun before, they are found all the same. */
const KEEPS_ARGUMENTS = 128;

/** Null: it has no crypto/tls. A text: why it can't be read. */
export function goPlacements(elf: ElfFile): Placement[] | string | null {
  if (elf.machine !== EM_X86_64 && elf.machine !== EM_AARCH64) return null;
  const table = Pclntab.of(elf);
  const found = table?.find(Object.keys(FUNCTIONS));
  if (!table || !found?.has(READ) || !found.has(WRITE)) return null;
  const textStart = textStartOf(elf, table, [...found.values()]);
  if (textStart === null) return "where its code begins is not known";
  const ends: { offset: number; cookie: number }[] = [];
  const entries = new Map<string, number[]>();
  for (const [name, { program, kind }] of Object.entries(FUNCTIONS)) {
    const stretch = found.get(name);
    if (stretch === undefined) continue;
    const offset = elf.fileOffset(textStart + stretch.start)!;
    const places = placesOf(elf.machine, codeOf(elf, textStart, stretch));
    if (places === null) return `the code of ${name} is not understood`;
    const cookie = name === READ && places.keepsArguments ? kind | KEEPS_ARGUMENTS : kind;
    ends.push(...places.returns.map((at) => ({ offset: offset + at, cookie })));
    entries.set(program, [...(entries.get(program) ?? []), offset + places.entry]);
  }
  return [
    // First: an entry whose return is not seen would be remembered in vain.
    {
      program: END,
      isReturn: false,
      offsets: ends.map(({ offset }) => offset),
      cookies: ends.map(({ cookie }) => cookie),
    },
    ...[...entries].map(([program, offsets]) => ({ program, isReturn: false, offsets })),
  ];
}

const SAMPLES = 256;
/** Of what the compiler makes more than half begin with a stack check; elsewhere there are none. */
const MIN_SHARE = 0.25;
const ALIGNMENT = 16;

/**
 * The address that the table's offsets count from. It stands in a structure of the runtime whose layout differs from
 * version to version, so it is taken from where the code itself fits: there many functions begin as functions do.
 */
function textStartOf(elf: ElfFile, table: Pclntab, wanted: readonly Stretch[]): number | null {
  const samples = table.sample(SAMPLES);
  const isStart = (address: number) =>
    wanted.every((stretch) => isStackCheck(elf.machine, codeOf(elf, address, stretch))) &&
    samples.filter((start) => isStackCheck(elf.machine, codeOf(elf, address, { start, bytes: 16 }))).length >=
      samples.length * MIN_SHARE;
  const guesses = [table.textStart, elf.section(".text")?.address ?? null];
  const guess = guesses.find((address) => address !== null && isStart(address));
  return guess ?? searchedStart(elf, wanted, isStart);
}

/** Behind the C code of a program that was linked with some. */
function searchedStart(
  elf: ElfFile,
  [first]: readonly Stretch[],
  isStart: (address: number) => boolean,
): number | null {
  if (first === undefined) return null;
  for (const segment of elf.segments.filter(({ isCode }) => isCode)) {
    const code = elf.contents(segment);
    for (let at = 0; at + first.start + first.bytes <= code.length; at += ALIGNMENT) {
      if (!isStackCheck(elf.machine, code.subarray(at + first.start, at + first.start + 16))) continue;
      if (isStart(segment.address + at)) return segment.address + at;
    }
  }
  return null;
}

function codeOf(elf: ElfFile, textStart: number, { start, bytes }: Stretch): Buffer {
  const offset = elf.fileOffset(textStart + start);
  return offset === undefined ? Buffer.alloc(0) : elf.contents({ offset, bytes });
}
