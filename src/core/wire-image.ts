/**
 * The bytes of a message as they went over the connection, with its secrets masked and every byte at its place: what a
 * packet capture shows. Where a redacted text has another length than the secret, the mask takes up the difference.
 */
import { latin1 } from "./http1/bytes.ts";
import { readHead } from "./http1/read-head.ts";
import { redactBody, redactHeaders, redactTarget } from "./redact.ts";
import { REDACTED } from "./redact-names.ts";

/** The first `limit` bytes of `raw`, which is the beginning of a message. */
export function maskedBytes(
  raw: Uint8Array,
  kind: "request" | "response",
  limit: number,
  showSecrets: boolean,
): Uint8Array {
  const kept = raw.slice(0, limit);
  if (showSecrets) return kept;
  const { headBytes } = readHead(kept, kind);
  const head = latin1(kept, 0, headBytes);
  const contentType = /^content-type:(.*)$/im.exec(head)?.[1] ?? null;
  const masked = maskHead(head, kind) + maskBody(latin1(kept, headBytes, kept.length), contentType);
  return Uint8Array.from(masked, (char) => char.charCodeAt(0));
}

/** Line by line, each with its end; a line that folds on belongs to the one before. */
function maskHead(head: string, kind: "request" | "response"): string {
  const lines = head.match(/[^\n]*\n(?:[ \t][^\n]*\n?)*|[^\n]+$/g) ?? [];
  return lines.map((line, i) => (i === 0 ? (kind === "request" ? maskTarget(line) : line) : maskField(line))).join("");
}

function maskTarget(line: string): string {
  return line.replace(/^(\S+[ \t]+)(\S+)/, (_, method, target) => method + fitted(target, redactTarget(target)));
}

function maskField(line: string): string {
  const [, name = "", between = "", value = "", end = ""] = /^([^:]*)(:[ \t]*)([\s\S]*?)(\s*)$/.exec(line) ?? [];
  if (between === "") return line;
  const redacted = redactHeaders([[name.trimEnd(), value]])[0]![1];
  return redacted === value ? line : name + between + fitted(value, redacted) + end;
}

function maskBody(body: string, contentType: string | null): string {
  const redacted = redactBody(body, contentType);
  return redacted === body ? body : fitted(body, redacted);
}

/** `redacted` at the length of `original`: its masks shrink, or the first of them grows. */
export function fitted(original: string, redacted: string): string {
  if (redacted === original) return original;
  let excess = redacted.length - original.length;
  const resized = redacted.replaceAll(REDACTED, (mask) => {
    const length = Math.max(0, mask.length - excess);
    excess -= mask.length - length;
    return length <= mask.length ? mask.slice(0, length) : `${mask.slice(0, -1)}${"*".repeat(length - mask.length)}]`;
  });
  return resized.slice(0, original.length).padEnd(original.length, " ");
}
