/** A sampled request as a command line that sends it again. Safe to paste, whatever came over the wire. */
import type { Sample, SampledRequest } from "../core/profile/sample.ts";
import { headerWord, sentHeaders, singleQuoted } from "../output/curl.ts";
import { escapeForTerminal } from "../output/escape.ts";
import { urlOf } from "../output/origin.ts";
import { formatExact } from "../output/units.ts";

/** The one stands in the URL, and the body is without the other. */
const NOT_SENT = new Set(["host", "transfer-encoding"]);

export function curlCommand(sample: Sample): string {
  const { request } = sample;
  const headers = sentHeaders(request.headers).filter(([name]) => !NOT_SENT.has(name.toLowerCase()));
  const words = [
    "curl -i -g",
    ...methodWords(request),
    quoted(urlOf(sample)),
    ...headers.map((header) => `-H ${quoted(headerWord(header))}`),
    ...bodyWords(request),
  ];
  return words.join(" ") + cutNote(request);
}

function methodWords({ method, body }: SampledRequest): string[] {
  if (method === "HEAD") return ["-I"];
  return method === (body === "" ? "GET" : "POST") ? [] : [`-X ${quoted(method)}`];
}

function bodyWords({ body, bodyEncoding }: SampledRequest): string[] {
  if (body === "") return [];
  if (bodyEncoding === "base64") return [`--data-binary @<(base64 -d <<<${body})`];
  return [`--data-raw ${quoted(body)}`];
}

function cutNote({ truncated, body, bodyEncoding, bodyBytes }: SampledRequest): string {
  if (!truncated) return "";
  const kept = Buffer.byteLength(body, bodyEncoding);
  return `  # cut: ${formatExact(kept)} of ${formatExact(bodyBytes)} body bytes were kept`;
}

/** For a POSIX shell where it can be, for bash where bytes must be written as escapes. */
function quoted(text: string): string {
  if (/^[\w./:?&=%@+,-]+$/.test(text) && !/[?&]/.test(text)) return text;
  if (escapeForTerminal(text) === text) return singleQuoted(text);
  const escaped = Array.from(text, (character) => {
    if (character === "'" || character === "\\") return `\\${character}`;
    if (escapeForTerminal(character) === character) return character;
    return Array.from(Buffer.from(character), (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
  });
  return `$'${escaped.join("")}'`;
}
