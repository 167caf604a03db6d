/**
 * How calls of a function of C are seen to end. A return probe does it by another return address on the stack, which
 * the kernel puts there in every process that has mapped the file, and a C++ exception that passes such a frame ends
 * the program. So it is breakpoints, except where nothing can be caught above, since most cost a step more.
 */
import type { ElfFile } from "./elf.ts";
import type { Probed } from "./functions.ts";
import { methodTargets } from "./method-table.ts";
import { CODE_BYTES, cheapEnd } from "./places.ts";
import { returnSitesOf, returnsOf } from "./returns.ts";
import type { X86Code } from "./x86-code.ts";

/** At the function's returns, by offsets in the file; null: not all are known. `found`: where its functions are. */
export function endsAtReturns(
  code: X86Code,
  offset: number,
  { goesOnFrom }: Probed,
  found: ReadonlyMap<string, number>,
): number[] | null {
  const start = code.elf.codeAddress(offset);
  if (start === undefined) return null;
  const addressOf = (name: string) => code.elf.codeAddress(found.get(name) ?? -1);
  const resolve = goesOnFrom === undefined ? undefined : methodTargets(code, addressOf, goesOnFrom);
  return returnsOf(code, start, resolve)?.map((at) => code.elf.fileOffset(at)!) ?? null;
}

/** Of a function that only others of its file call, behind these calls; null: it is also reached otherwise. */
export function endsBehindCalls(code: X86Code, offset: number): number[] | null {
  const target = code.elf.codeAddress(offset);
  const sites = target === undefined ? null : returnSitesOf(code, target);
  const offsets = sites?.map((site) => code.elf.fileOffset(site)!);
  return offsets?.map((at) => at + cheapEnd(code.elf.upTo(at, CODE_BYTES))) ?? null;
}

/** What programs without a use for exceptions have of tables for them comes from their compiler's own parts. */
const MAX_TABLE_BYTES = 1024;

/** The file is a program that has the library within itself, as Node has, and that catches no C++ exception. */
export function isProgramWithoutCatch(elf: ElfFile): boolean {
  const isProgram = elf.section(".interp") !== undefined;
  const tables = elf.section(".gcc_except_table")?.bytes ?? 0;
  return isProgram && tables <= MAX_TABLE_BYTES && !elf.hasName("__cxa_begin_catch");
}
