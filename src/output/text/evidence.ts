/** The raw data of a sample as `curl -v` shows it: `> ` what was asked, `< ` what was answered. */
import type { Sample, SampledMessage } from "../../core/profile/sample.ts";
import { escapeForTerminal } from "../escape.ts";
import { formatExact } from "../units.ts";
import { hexDump } from "./hex-dump.ts";
import { wrap } from "./layout.ts";
import type { Paint, Style } from "./style.ts";

export function evidence({ request, response }: Sample, style: Style): string {
  const requestLine = `${request.method} ${request.uri} HTTP/${request.version}`;
  const statusLine = `HTTP/${response.version} ${response.status} ${response.reason}`;
  return (
    message(requestLine, request, { mark: ">", paint: style.sent }, style) +
    message(statusLine, response, { mark: "<", paint: style.received }, style)
  );
}

interface Direction {
  readonly mark: string;
  readonly paint: Paint;
}

/** A rule that keeps none of it leaves neither headers nor body. */
function message(startLine: string, kept: SampledMessage, direction: Direction, style: Style): string {
  if (kept.headers.length === 0 && kept.body === "") return "";
  const head = [startLine, ...kept.headers.map(([name, value]) => `${name}: ${value}`), ""];
  return [...head.map(escapeForTerminal), ...bodyLines(kept), ...truncation(kept)]
    .map((line) => prefixed(line, direction, style))
    .join("");
}

/** The sign of a broken line is not that of a new one, so nothing on the wire can pass for either. */
function prefixed(line: string, { mark, paint }: Direction, style: Style): string {
  return wrap(line, style.columns - 2)
    .map((part, index) => `${paint(mark)}${index > 0 ? paint("↪") : part && " "}${part}\n`)
    .join("");
}

function bodyLines({ body, bodyEncoding }: SampledMessage): string[] {
  if (body === "") return [];
  if (bodyEncoding === "base64") return hexDump(Buffer.from(body, "base64"));
  return body
    .replace(/\r?\n$/, "")
    .split(/\r?\n/)
    .map(escapeForTerminal);
}

function truncation({ truncated, body, bodyEncoding, bodyBytes }: SampledMessage): string[] {
  if (!truncated) return [];
  if (bodyBytes === 0) return ["[truncated in the headers]"];
  return [
    `[truncated at ${formatExact(Buffer.byteLength(body, bodyEncoding))} of ${formatExact(bodyBytes)} body bytes]`,
  ];
}
