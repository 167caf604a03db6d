/** Where in a file which program is attached. */
import type { Library, Probed, Shared } from "./functions.ts";
import { CODE_BYTES, cheapPlace, innerOf } from "./places.ts";
import { RCX, RDI, RSI } from "./x86-effect.ts";

/** Program → where it is attached, in the order in which to attach. */
export interface Placement {
  readonly program: string;
  readonly isReturn: boolean;
  readonly offsets: readonly number[];
  /** One for each offset: tells the program where it is; kernels that have no cookies leave it 0. */
  readonly cookies?: readonly number[];
}

/** The code at an offset of the file, as far as it goes; null if it is not of x86-64. */
export type ReadCode = (offset: number, bytes: number) => Buffer | null;

interface Place extends Probed {
  readonly offset: number;
}

/** `found`: offsets of functions in a file. Null if the file does not hold the library. */
export function placementsOf(
  library: Library,
  found: ReadonlyMap<string, number>,
  codeAt: ReadCode = () => null,
): Placement[] | null {
  if (!library.needed.every((name) => found.has(name))) return null;
  const placements = new Map<string, { program: string; isReturn: boolean; offsets: Set<number> }>();
  const place = (program: string | null, isReturn: boolean, offset: number) => {
    if (program === null) return;
    const placement = placements.get(program) ?? { program, isReturn, offsets: new Set() };
    placement.offsets.add(offset);
    placements.set(program, placement);
  };
  const places = placesOf(library, found, codeAt);
  // Returns first: an entry whose return is not seen would be remembered in vain.
  for (const isReturn of [true, false]) {
    for (const { enter, end, offset } of places) place(isReturn ? end : enter, isReturn, offset);
  }
  return [...placements.values()].map(({ offsets, ...placement }) => ({ ...placement, offsets: [...offsets] }));
}

function placesOf(library: Library, found: ReadonlyMap<string, number>, codeAt: ReadCode): Place[] {
  const left = new Map(found);
  const shared = library.shared.flatMap((one) => {
    const inner = sharedPlace(one, found, codeAt);
    for (const name of inner?.callers ?? []) left.delete(name);
    return inner?.place ?? [];
  });
  const own = Object.entries(library.functions).flatMap(([name, probed]) => {
    const offset = left.get(name);
    return offset === undefined ? [] : { ...probed, offset: cheapOffset(offset, probed, codeAt) ?? offset };
  });
  return [...shared, ...own];
}

/**
 * Where two callers show what its arguments are. It costs less than they do, and what the library's own BIOs read and
 * write goes through it, too (BIO_f_ssl).
 */
function sharedPlace({ plain, extended, probed }: Shared, found: ReadonlyMap<string, number>, codeAt: ReadCode) {
  const offset = found.get(plain);
  const code = offset === undefined ? null : codeAt(offset, CODE_BYTES);
  if (offset === undefined || code === null) return null;
  const inner = innerOf(code, null);
  const program = inner === null ? undefined : probed[inner.lengthAt];
  if (inner === null || program === undefined) return null;
  const target = offset + inner.target;
  const witnesses = extended.filter(([name, register]) => {
    const at = found.get(name);
    const other = at === undefined ? null : codeAt(at, CODE_BYTES);
    const its = other === null ? null : innerOf(other, register);
    return its !== null && at! + its.target === target && its.lengthAt === inner.lengthAt;
  });
  const place = cheapOffset(target, program, codeAt) ?? target;
  if (witnesses.length === 0) return null;
  return { callers: [plain, ...witnesses.map(([name]) => name)], place: { ...program, offset: place } };
}

function cheapOffset(offset: number, { enter }: Probed, codeAt: ReadCode): number | null {
  const code = codeAt(offset, CODE_BYTES);
  const place = code === null ? null : cheapPlace(code, enter?.endsWith("_ex") ? [RDI, RSI, RCX] : [RDI, RSI]);
  return place === null ? null : offset + place;
}
