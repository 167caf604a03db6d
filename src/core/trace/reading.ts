/** What the readers of the propagation formats share: how a header is found, and what a reader may answer. */
import type { Header } from "../profile/sample.ts";
import type { TraceContext, TraceProblem } from "../profile/trace.ts";

/** A context; why a header that is there can't be used; or null when there is none, or none with ids. */
export type Found = TraceContext | TraceProblem | null;

export function isProblem(found: Found): found is TraceProblem {
  return found !== null && "problem" in found;
}

export function problem(header: string, what: string): TraceProblem {
  return { header, problem: what };
}

/** The values of all headers of that name. */
export function headerValues(headers: readonly Header[], lowercaseName: string): readonly string[] {
  return headers.filter(([name]) => name.toLowerCase() === lowercaseName).map(([, value]) => value.trim());
}

/** The value of a header that must be there once; of one that is there twice it is anyone's guess which holds. */
export function headerValue(headers: readonly Header[], lowercaseName: string): string | TraceProblem | null {
  const [value, ...others] = headerValues(headers, lowercaseName);
  return others.length > 0 ? problem(lowercaseName, "sent more than once") : (value ?? null);
}

export function isZero(id: string): boolean {
  return /^0+$/.test(id);
}

/** Base64 of UTF-8 text; null if it is none. */
export function decodeBase64(text: string): string | null {
  try {
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
