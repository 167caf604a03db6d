/** A body for people to read: decoded where it is compressed, as text where it is text, else as a dump of its bytes. */
import { brotliDecompressSync, constants, gunzipSync, inflateRawSync, inflateSync } from "node:zlib";
import type { SampledMessage } from "../core/profile/sample.ts";
import { redactBody } from "../core/redact.ts";
import { escapeForTerminal } from "../output/escape.ts";
import { hexDump as hexDumpOf } from "../output/text/hex-dump.ts";
import { formatExact } from "../output/units.ts";

export interface ReadableBody {
  /** Escaped, not yet broken into the width. */
  readonly lines: readonly string[];
  /** What was done to it, "" if nothing. */
  readonly note: string;
}

export interface BodyOptions {
  /** The bytes as they are. */
  readonly isRaw: boolean;
  readonly showSecrets: boolean;
}

/** A small body may unpack to a very large one. */
const MAX_DECODED_BYTES = 1 << 20;
/** More than anyone scrolls through. */
const MAX_LINES = 2000;

export function readableBody(message: SampledMessage, { isRaw, showSecrets }: BodyOptions): ReadableBody {
  const { body, bodyEncoding } = message;
  if (body === "") return { lines: [], note: "" };
  const bytes = Buffer.from(body, bodyEncoding);
  if (isRaw) return { lines: hexDump(bytes), note: "its bytes" };
  if (bodyEncoding === "utf8") return { lines: textLines(body), note: "" };
  const codings = codingsOf(message);
  if (codings.length === 0) return { lines: hexDump(bytes), note: "not text: its bytes" };
  return decodedBody(bytes, codings, headerOf(message, "content-type"), showSecrets);
}

function decodedBody(bytes: Buffer, codings: string[], contentType: string | null, showSecrets: boolean): ReadableBody {
  const names = codings.join(", ");
  // The last that was applied comes off first (RFC 9110, 8.4).
  let decoded: Buffer | string = bytes;
  for (const coding of codings.toReversed()) if (typeof decoded !== "string") decoded = decode(decoded, coding);
  if (typeof decoded === "string") return { lines: hexDump(bytes), note: `${names}, ${decoded}: its bytes` };
  const text = textOf(decoded);
  if (text === null) return { lines: hexDump(decoded), note: `${names}, decoded, not text: its bytes` };
  // It could not be redacted when it was sampled.
  return { lines: textLines(showSecrets ? text : redactBody(text, contentType)), note: `${names}, decoded` };
}

/** What there is of it, as it may be cut off; a string says why it can't be. */
function decode(bytes: Buffer, coding: string): Buffer | string {
  const zlib = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_DECODED_BYTES };
  const brotli = { finishFlush: constants.BROTLI_OPERATION_FLUSH, maxOutputLength: MAX_DECODED_BYTES };
  const decoders: Readonly<Record<string, readonly (() => Buffer)[]>> = {
    gzip: [() => gunzipSync(bytes, zlib)],
    "x-gzip": [() => gunzipSync(bytes, zlib)],
    // Some send it without the zlib format around it.
    deflate: [() => inflateSync(bytes, zlib), () => inflateRawSync(bytes, zlib)],
    br: [() => brotliDecompressSync(bytes, brotli)],
    identity: [() => bytes],
  };
  let why = "can't be decoded";
  for (const attempt of decoders[coding] ?? []) {
    try {
      return attempt();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") why = "unpacks to more than 1 MiB";
    }
  }
  return why;
}

function codingsOf(message: SampledMessage): string[] {
  const codings = headerOf(message, "content-encoding") ?? "";
  return codings
    .toLowerCase()
    .split(",")
    .map((coding) => coding.trim())
    .filter(Boolean);
}

function headerOf({ headers }: SampledMessage, lowercaseName: string): string | null {
  return headers.find(([name]) => name.toLowerCase() === lowercaseName)?.[1] ?? null;
}

function textOf(bytes: Buffer): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return null;
  }
}

function textLines(text: string): string[] {
  const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
  const shown = lines.slice(0, MAX_LINES).map((line) => escapeForTerminal(line.replaceAll("\t", "    ")));
  return lines.length > MAX_LINES ? [...shown, `[${formatExact(lines.length - MAX_LINES)} more lines]`] : shown;
}

function hexDump(bytes: Uint8Array): string[] {
  return hexDumpOf(bytes, MAX_LINES);
}
