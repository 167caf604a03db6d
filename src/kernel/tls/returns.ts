/**
 * Where the calls of a function of x86-64 end, so that a breakpoint there sees them do so. A uretprobe would do it by
 * another return address on the stack, and an exception that passes such a frame ends the program.
 */
import { switchTargets } from "./switch-table.ts";
import type { Body, X86Code } from "./x86-code.ts";
import { modrmOf, registerOf } from "./x86-operands.ts";

/** A jump out of a function to where a register says. */
export interface PointerJump {
  readonly body: Body;
  readonly index: number;
  readonly register: number;
}

/** Where such a jump can lead; null: not known. */
export type Resolve = (jump: PointerJump) => readonly number[] | null;

const MAX_BODIES = 64;
const MAX_RETURNS = 256;

/**
 * The instructions at which calls of the function at `start` return, the stack pointer as at its entry: its own, those
 * of parts that the compiler has put elsewhere, and of the functions that it ends in by a jump. Null: not all are known.
 */
export function returnsOf(code: X86Code, start: number, resolve: Resolve = () => null): number[] | null {
  const returns: number[] = [];
  const seen = new Set<number>();
  const pending = [start];
  for (let address = pending.pop(); address !== undefined; address = pending.pop()) {
    const body = code.body(address);
    if (body === null || seen.size > MAX_BODIES) return null;
    if (seen.has(body.start)) continue;
    seen.add(body.start);
    const targets = leavingJumps(code, body, resolve);
    if (targets === null) return null;
    pending.push(...[...new Set(targets)].map((target) => code.stubTarget(target) ?? target));
    returns.push(...body.instructions.filter(({ isReturn }) => isReturn).map((one) => one.address));
    if (returns.length > MAX_RETURNS || pending.length > MAX_RETURNS) return null;
  }
  return returns.length === 0 ? null : returns;
}

const MAX_REFERENCES = 64;

/**
 * The places right behind the calls of a function that has no name, and is called by none but others of its file. Null:
 * it is also reached otherwise.
 */
export function returnSitesOf(code: X86Code, target: number): number[] | null {
  const references = code.references(target).filter((reference) => reference + 4 !== target); // zeros, of which are many
  if (references.length > MAX_REFERENCES || isJumpedToFromNearby(code, target) || code.relocations.hasPointerTo(target))
    return null;
  const sites: number[] = [];
  for (const reference of references) {
    const body = code.body(reference);
    const instruction = body?.instructions.find(({ address, bytes }) => reference < address + bytes);
    if (!body || !instruction) return null;
    const { address, bytes, call, jump, modrmAt } = instruction;
    const end = address + bytes;
    if (reference + 4 !== end) continue; // by chance
    const isRelative = modrmAt !== null && (modrmOf(body, instruction) & 0xc7) === 5;
    if (jump !== null || (isRelative && address + modrmAt + 1 === reference)) return null;
    if (call !== null) sites.push(end);
  }
  return sites.length === 0 ? null : sites;
}

/** By another function, with a jump of two bytes. */
function isJumpedToFromNearby(code: X86Code, target: number): boolean {
  const own = code.body(target);
  for (let at = target - 128; at < target + 126; ) {
    const body = code.body(at);
    const isJump = body?.instructions.some(({ address, jump }) => jump !== null && address + jump === target);
    if (isJump && body!.start !== own?.start) return true;
    at = Math.max(body?.end ?? 0, at + 1);
  }
  return false;
}

/** Where the function goes on elsewhere; null if that is not known, or a jump leads into an instruction. */
function leavingJumps(code: X86Code, body: Body, resolve: Resolve): number[] | null {
  const starts = new Set(body.instructions.map(({ address }) => address));
  const leaving: number[] = [];
  for (const [index, { address, jump }] of body.instructions.entries()) {
    const targets =
      jump !== null ? [address + jump] : isIndirectJump(body, index) ? targetsOf(code, body, index, resolve) : [];
    if (targets === null) return null;
    const outside = targets.filter((target) => target < body.start || target >= body.end);
    if (targets.some((target) => !outside.includes(target) && !starts.has(target))) return null;
    leaving.push(...outside);
  }
  return leaving;
}

function targetsOf(code: X86Code, body: Body, index: number, resolve: Resolve): readonly number[] | null {
  const targets = switchTargets(code, body, index);
  if (targets !== null) return targets;
  const register = registerOf(body, body.instructions[index]!);
  return register === null ? null : resolve({ body, index, register });
}

const JUMP = 4; // FF /4, and /5 far

function isIndirectJump(body: Body, index: number): boolean {
  const instruction = body.instructions[index]!;
  return instruction.opcode === 0xff && ((modrmOf(body, instruction) >> 3) & 6) === JUMP;
}
