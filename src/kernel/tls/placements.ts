/** Where in a file which program is attached. */
import { endsAtReturns, endsBehindCalls, isProgramWithoutCatch } from "./ends.ts";
import type { Library, Probed, Shared } from "./functions.ts";
import { CODE_BYTES, cheapPlace, innerOf } from "./places.ts";
import type { X86Code } from "./x86-code.ts";
import { RCX, RDI, RSI } from "./x86-effect.ts";

/** Program → where it is attached, in the order in which to attach. */
export interface Placement {
  readonly program: string;
  readonly isReturn: boolean;
  readonly offsets: readonly number[];
  /** One for each offset: tells the program where it is; kernels that have no cookies leave it 0. */
  readonly cookies?: readonly number[];
}

interface Place extends Probed {
  /** In the file; where a call is seen to begin. */
  readonly offset: number;
  /** Where it is seen to end, in the file; null: by a return probe at the beginning. */
  readonly ends: readonly number[] | null;
}

/** `found`: offsets of functions in a file. Null if the file does not hold the library. */
export function placementsOf(
  library: Library,
  found: ReadonlyMap<string, number>,
  code: X86Code | null = null,
): Placement[] | null {
  if (!library.needed.every((name) => found.has(name))) return null;
  const places = placesOf(library, found, code);
  const begins = places.map(({ enter, offset }) => ({ program: enter, isReturn: false, offsets: [offset] }));
  // Ends first: a beginning whose end is not seen would be remembered in vain.
  return together([...places.map(endsOf), ...begins]);
}

function endsOf({ end, ends, offset }: Place) {
  return { program: end, isReturn: ends === null, offsets: ends ?? [offset] };
}

/** One placement for each program, without a place twice. */
function together(
  placements: readonly (Omit<Placement, "program"> & { readonly program: string | null })[],
): Placement[] {
  const merged = new Map<string, { program: string; isReturn: boolean; offsets: Set<number> }>();
  for (const { program, isReturn, offsets } of placements) {
    if (program === null) continue;
    const key = `${program} ${isReturn}`;
    const one = merged.get(key) ?? { program, isReturn, offsets: new Set() };
    for (const offset of offsets) one.offsets.add(offset);
    merged.set(key, one);
  }
  return [...merged.values()].map(({ offsets, ...one }) => ({ ...one, offsets: [...offsets] }));
}

function placesOf(library: Library, found: ReadonlyMap<string, number>, code: X86Code | null): Place[] {
  const left = new Map(found);
  const keepsReturnProbes = code !== null && isProgramWithoutCatch(code.elf);
  const shared = library.shared.flatMap((one) => {
    const inner = code === null ? null : sharedPlace(one, found, code);
    for (const name of inner?.callers ?? []) left.delete(name);
    return inner?.place ?? [];
  });
  const own = Object.entries(library.functions).flatMap(([name, probed]) => {
    const offset = left.get(name);
    if (offset === undefined) return [];
    const isByReturnProbe = code === null || (probed.isFrequent && keepsReturnProbes);
    const ends = isByReturnProbe || probed.end === null ? null : endsAtReturns(code, offset, probed, found);
    return [{ ...probed, offset: cheapOffset(offset, probed, code) ?? offset, ends }];
  });
  return [...shared, ...own];
}

/**
 * Where two callers show what its arguments are. It costs less than they do, and what the library's own BIOs read and
 * write goes through it, too (BIO_f_ssl).
 */
function sharedPlace({ plain, extended, probed }: Shared, found: ReadonlyMap<string, number>, code: X86Code) {
  const offset = found.get(plain);
  const inner = offset === undefined ? null : innerOf(code.elf.upTo(offset, CODE_BYTES), null);
  const program = inner === null ? undefined : probed[inner.lengthAt];
  if (offset === undefined || inner === null || program === undefined) return null;
  const target = offset + inner.target;
  const handedOn = extended.flatMap(([name, register]) => {
    const at = found.get(name);
    const its = at === undefined ? null : innerOf(code.elf.upTo(at, CODE_BYTES), register);
    return its?.lengthAt === inner.lengthAt ? [{ name, to: at! + its.target }] : [];
  });
  const witnesses = handedOn.filter(({ to }) => to === target);
  if (witnesses.length === 0) return null;
  const others = handedOn.filter(({ to }) => witnesses.some(({ name }) => leadsTo(code, to, found.get(name)!)));
  const place = {
    ...program,
    offset: cheapOffset(target, program, code) ?? target,
    ends: endsBehindCalls(code, target),
  };
  return { callers: [plain, ...[...witnesses, ...others].map(({ name }) => name)], place };
}

/** SSL_write_ex of OpenSSL 3.3 ends in a jump to SSL_write_ex2. */
function leadsTo(code: X86Code, offset: number, target: number): boolean {
  const address = code.elf.codeAddress(offset);
  return offset === target || (address !== undefined && code.stubTarget(address) === code.elf.codeAddress(target));
}

function cheapOffset(offset: number, { enter }: Probed, code: X86Code | null): number | null {
  const bytes = code?.elf.upTo(offset, CODE_BYTES) ?? null;
  const place = bytes === null ? null : cheapPlace(bytes, enter?.endsWith("_ex") ? [RDI, RSI, RCX] : [RDI, RSI]);
  return place === null ? null : offset + place;
}
