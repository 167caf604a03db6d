/**
 * Request targets, known by their bytes: what a target means (its path, template and sampling rule) is worked out
 * once and found again without making a string, since most servers see few paths again and again.
 */
import { latin1 } from "./http1/bytes.ts";
import { pathOf } from "./route.ts";

export interface Target {
  /** The URI without its query. */
  readonly path: string;
  readonly template: string;
  /** Small number of the template: equal where the template is. */
  readonly templateId: number;
  /** Index of its sampling rule. */
  readonly rule: number;
}

export interface TargetRules {
  /** Path → template. */
  readonly route: (path: string) => string;
  /** Path → index of its sampling rule. */
  readonly rule: (path: string) => number;
}

interface Slot {
  readonly bytes: Uint8Array;
  readonly target: Target;
}

/** Direct-mapped: a path that falls into the place of another takes it. */
const SLOTS = 8192;
/** Longer ones are not remembered. */
const MAX_KNOWN_BYTES = 2048;
/** Of a longer one the rest decides nothing: no server that is known takes it, but a head may have 256 KiB. */
const MAX_PATH_BYTES = 16 * 1024;
const QUESTION_MARK = 0x3f;
const MAX_TEMPLATES = 100_000;

export class TargetTable {
  private readonly slots = new Array<Slot | undefined>(SLOTS).fill(undefined);
  private readonly templateIds = new Map<string, number>();
  private readonly rules: TargetRules;

  constructor(rules: TargetRules) {
    this.rules = rules;
  }

  /** Of the request target `bytes[start, targetEnd)`. */
  lookup(bytes: Uint8Array, start: number, targetEnd: number): Target {
    const end = Math.min(targetEnd, start + MAX_PATH_BYTES);
    // FNV-1a, 32 bits.
    let hash = 0x811c9dc5;
    let pathEnd = start;
    for (; pathEnd < end; pathEnd++) {
      const byte = bytes[pathEnd]!;
      if (byte === QUESTION_MARK) break;
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    const index = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const slot = this.slots[index];
    if (slot !== undefined && isEqual(slot.bytes, bytes, start, pathEnd)) return slot.target;
    const target = this.understand(latin1(bytes, start, pathEnd));
    if (pathEnd - start > MAX_KNOWN_BYTES) return target;
    this.slots[index] = { bytes: bytes.slice(start, pathEnd), target };
    return target;
  }

  private understand(text: string): Target {
    const path = pathOf(text);
    const template = this.rules.route(path);
    return { path, template, templateId: this.templateId(template), rule: this.rules.rule(path) };
  }

  private templateId(template: string): number {
    const known = this.templateIds.get(template);
    if (known !== undefined) return known;
    if (this.templateIds.size >= MAX_TEMPLATES) return MAX_TEMPLATES; // far past --max-endpoints: all in `(other)`
    this.templateIds.set(template, this.templateIds.size);
    return this.templateIds.size - 1;
  }
}

function isEqual(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}

const COMMON_METHODS = ["GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT"];
const COMMON_BYTES = COMMON_METHODS.map((name) => Uint8Array.from(name, (c) => c.charCodeAt(0)));
const MAX_METHOD_CHARACTERS = 32;

/** The method token as text, without allocation for the common ones; a longer one is cut. */
export function methodText(bytes: Uint8Array, start: number, end: number): string {
  for (let i = 0; i < COMMON_BYTES.length; i++) {
    if (isEqual(COMMON_BYTES[i]!, bytes, start, end)) return COMMON_METHODS[i]!;
  }
  return latin1(bytes, start, Math.min(end, start + MAX_METHOD_CHARACTERS));
}
