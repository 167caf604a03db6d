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

export interface Ends {
  readonly program: string;
  /** In the file. */
  readonly offsets: readonly number[];
}

/** At the function's returns; null: not all are known. `found`: offsets of functions in the file. */
export function endsAtReturns(
  code: X86Code,
  offset: number,
  { end, goesOnFrom }: Probed,
  found: ReadonlyMap<string, number>,
): Ends | null {
  const start = code.elf.codeAddress(offset);
  if (start === undefined || end === null) return null;
  const addressOf = (name: string) => code.elf.codeAddress(found.get(name) ?? -1);
  const resolve = goesOnFrom === undefined ? undefined : methodTargets(code, addressOf, goesOnFrom);
  const returns = returnsOf(code, start, resolve);
  return returns === null ? null : { program: end.at, offsets: returns.map((at) => code.elf.fileOffset(at)!) };
}

/** Of a function that only others of its file call, behind these calls; null: it is also reached otherwise. */
export function endsBehindCalls(code: X86Code, offset: number, { end }: Probed): Ends | null {
  const target = code.elf.codeAddress(offset);
  const sites = target === undefined || end === null ? null : returnSitesOf(code, target);
  if (sites === null) return null;
  const offsets = sites.map((site) => code.elf.fileOffset(site)!);
  return { program: end!.behind, offsets: offsets.map((at) => at + cheapEnd(code.elf.upTo(at, CODE_BYTES))) };
}

/** What programs without a use for exceptions have of tables for them comes from their compiler's own parts. */
const MAX_TABLE_BYTES = 1024;

/** The file is a program that has the library within itself, as Node has, and that catches no C++ exception. */
export function isProgramWithoutCatch(elf: ElfFile): boolean {
  const isProgram = elf.section(".interp") !== undefined;
  const tables = elf.section(".gcc_except_table")?.bytes ?? 0;
  return isProgram && tables <= MAX_TABLE_BYTES && !elf.hasName("__cxa_begin_catch");
}
