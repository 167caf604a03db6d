/**
 * Replaces the values of secret members in JSON text, which may be cut off anywhere: it walks the strings instead of
 * parsing, changes nothing else, and takes a value that has no end to go on to the end of the text.
 */
import { isSecretName, REDACTED } from "./redact-names.ts";

/** `redactTarget` cleans strings that are URIs. */
export function redactJson(text: string, redactTarget: (uri: string) => string, depth = 0): string {
  const kept: string[] = [];
  let copied = 0;
  const replace = (from: number, to: number, by: string): number => {
    kept.push(text.slice(copied, from), by);
    copied = to;
    return to;
  };
  let at = text.indexOf('"');
  while (at !== -1) {
    const end = endOfString(text, at);
    const value = startOfMemberValue(text, end);
    if (value === -1) {
      const literal = text.slice(at, end);
      const clean = redactString(literal, redactTarget, depth);
      at = clean === literal ? end : replace(at, end, clean);
    } else if (isSecretName(contentOf(text.slice(at, end)))) {
      const valueEnd = endOfValue(text, value);
      at = isHarmless(text.slice(value, valueEnd)) ? valueEnd : replace(value, valueEnd, `"${REDACTED}"`);
    } else {
      at = value;
    }
    at = text.indexOf('"', at);
  }
  return kept.join("") + text.slice(copied);
}

/** `null` and flags say nothing, and that they are so is often the point; "" is cut off before the value. */
function isHarmless(value: string): boolean {
  return /^(?:null|true|false|)$/.test(value);
}

/** A string that holds a URI, or JSON of its own as log shippers and webhooks send it. */
function redactString(literal: string, redactTarget: (uri: string) => string, depth: number): string {
  const content = contentOf(literal);
  const isJson = depth < 3 && /^\s*[{[]/.test(content);
  const isUri = /^(?:\/|[a-z][a-z0-9+.-]*:\/\/)\S*$/i.test(content);
  if (!isJson && !isUri) return literal;
  const clean = isJson ? redactJson(content, redactTarget, depth + 1) : redactTarget(content);
  return clean === content ? literal : JSON.stringify(clean);
}

/** The text of a string literal, unescaped unless it is cut off in the middle of an escape. */
function contentOf(literal: string): string {
  const isClosed = literal.length > 1 && literal.endsWith('"');
  try {
    return String(JSON.parse(isClosed ? literal : `${literal}"`));
  } catch {
    return literal.slice(1, isClosed ? -1 : undefined);
  }
}

/** Past the closing quote, or the end of the text. `start` is at the opening one. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at];
    if (char === "\\") at++;
    else if (char === '"') return at + 1;
  }
  return text.length;
}

/** Where the value begins if the string that ended at `end` names a member; else -1. */
function startOfMemberValue(text: string, end: number): number {
  const colon = skipSpace(text, end);
  return text[colon] === ":" ? skipSpace(text, colon + 1) : -1;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && SPACE.includes(text[at]!)) at++;
  return at;
}

const SPACE = " \t\r\n";

function endOfValue(text: string, start: number): number {
  const first = text[start];
  if (first === '"') return endOfString(text, start);
  if (first === "{" || first === "[") return endOfContainer(text, start);
  let at = start;
  while (at < text.length && !",}] \t\r\n".includes(text[at]!)) at++;
  return at;
}

function endOfContainer(text: string, start: number): number {
  let open = 0;
  let at = start;
  while (at < text.length) {
    const char = text[at];
    if (char === '"') {
      at = endOfString(text, at);
      continue;
    }
    if (char === "{" || char === "[") open++;
    if (char === "}" || char === "]") open--;
    at++;
    if (open === 0) break;
  }
  return at;
}
