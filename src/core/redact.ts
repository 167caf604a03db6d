/**
 * Replaces secrets in what a sample shows: header values, URIs, bodies. Which names are secret: redact-names.ts.
 *
 * What comes in may be malformed or cut off, so where it is unclear how far a value goes, the farthest is taken: in
 * `?token=a;b#c` everything up to the next `&` goes. Nothing throws.
 */
import type { Header } from "./profile/sample.ts";
import { redactJson } from "./redact-json.ts";
import { isSecretHeader, isSecretName, REDACTED } from "./redact-names.ts";

export function redactHeaders(headers: readonly Header[]): readonly Header[] {
  return headers.map(([name, value]) => [name, redactHeaderValue(name, value)]);
}

/** Any value may hold a URI or parameters: Location, Referer, Link, Refresh, X-Original-URL, Forwarded, … */
function redactHeaderValue(name: string, value: string): string {
  if (isSecretHeader(name)) return REDACTED;
  const isChallenge = /^(?:www|proxy)-authenticate$/i.test(name);
  if (!isChallenge && CREDENTIALS.test(value)) return REDACTED;
  return redactText(value, IN_HEADER, 0);
}

/** RFC 9110 11.4 credentials under whatever name a proxy gave the header. */
const CREDENTIALS = /^\s*(?:basic|bearer|digest|negotiate|hawk|aws4-hmac-sha256)\s/i;

/** A request target in any form, or a URI: query, fragment and matrix parameters, and userinfo. */
export function redactTarget(uri: string): string {
  return redactText(uri, IN_URI, 0);
}

/**
 * Form fields and JSON members. Whatever is no form is searched for members, as JSON comes in many wrappings: NDJSON,
 * event streams, JSONP, pages with data in them.
 */
export function redactBody(text: string, contentType: string | null): string {
  const type = contentType?.toLowerCase() ?? "";
  if (type.includes("multipart/form-data")) return redactMultipart(text);
  const isForm = type.includes("x-www-form-urlencoded") || (type === "" && /^[^\s=&{["]+=/.test(text));
  // Clients that send JSON and leave their library's default type, curl first of all, are common.
  if (isForm && !/^\s*[{[]/.test(text)) return redactParameters(text, IN_URI, 0);
  return redactJson(text, redactTarget);
}

/** What separates parameters. Some servers split queries at `;`, and a nested URI brings its own `?` and `#`. */
const IN_URI = /([?&;#])/;
const IN_HEADER = /([?&;#,\s])/;

function redactText(text: string, separators: RegExp, depth: number): string {
  const clean = redactUserinfo(text);
  const isParameters = /^[^/?#;&=]*=/.test(clean);
  const query = isParameters ? 0 : clean.search(/[?#]/);
  if (query === -1) return redactMatrix(clean);
  return redactMatrix(clean.slice(0, query)) + redactParameters(clean.slice(query), separators, depth);
}

/** `//user:password@host` anywhere, `user:password@host:443` (CONNECT) at the start. */
function redactUserinfo(text: string): string {
  return text.replace(/\/\/[^/?#\s]*@/g, `//${REDACTED}@`).replace(/^[^/?#\s@:=]*:[^/?#\s]*@/, `${REDACTED}@`);
}

/** `/path;token=x/more`: a matrix parameter ends with its segment. */
function redactMatrix(path: string): string {
  return path.replace(/;([^=;/]*)=([^;/]*)/g, (whole, name) =>
    isSecretName(decode(name)) ? `;${name}=${REDACTED}` : whole,
  );
}

function redactParameters(text: string, separators: RegExp, depth: number): string {
  let isInSecret = false;
  // The separators are pieces, too.
  return text
    .split(separators)
    .map((piece) => {
      if (isInSecret && piece !== "&") return "";
      isInSecret = false;
      const equals = piece.indexOf("=");
      if (equals === -1) return piece;
      isInSecret = isSecretName(decode(piece.slice(0, equals)));
      return piece.slice(0, equals + 1) + (isInSecret ? REDACTED : redactNested(piece.slice(equals + 1), depth));
    })
    .join("");
}

/** `next=https%3A%2F%2Fhost%2F%3Ftoken%3Dx`: parameters in an escaped value; three deep, as nobody goes further. */
function redactNested(value: string, depth: number): string {
  if (depth >= 3 || !/%3d|%40/i.test(value)) return value;
  const decoded = decode(value);
  const clean = redactText(decoded, IN_URI, depth + 1);
  return clean === decoded ? value : encode(clean);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    // Not UTF-8, or a bare %: what can be decoded is, byte by byte.
    return text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}

function encode(text: string): string {
  try {
    return encodeURIComponent(text).replaceAll(encodeURIComponent(REDACTED), REDACTED);
  } catch {
    return REDACTED; // Half a surrogate pair: nothing that came as bytes.
  }
}

/** RFC 7578: parts between lines that begin with the boundary, each with headers, a blank line and the value. */
function redactMultipart(text: string): string {
  const lines = text.split("\n");
  const boundary = lines[0]?.trimEnd() ?? "";
  let isHead = false;
  let isSecret = false;
  let isShown = false;
  const kept: string[] = [];
  for (const line of lines) {
    if (line.startsWith(boundary)) {
      isHead = true;
      isSecret = false;
      isShown = false;
    } else if (isHead) {
      if (line.trimEnd() === "") isHead = false;
      else isSecret ||= isSecretName(/\bname="([^"]*)"/i.exec(line)?.[1] ?? "");
    } else if (isSecret) {
      if (!isShown) kept.push(line.endsWith("\r") ? `${REDACTED}\r` : REDACTED);
      isShown = true;
      continue;
    }
    kept.push(line);
  }
  return kept.join("\n");
}
