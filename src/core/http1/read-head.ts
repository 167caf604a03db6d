/** A head as text, from the raw bytes that were kept for a sample: perhaps cut short, perhaps with body after it. */
import type { Header } from "../profile/sample.ts";
import { CR, isBlank, LF, latin1 } from "./bytes.ts";
import { newHead } from "./head-scanner.ts";
import { parseHeaders } from "./headers.ts";
import { scanRequestLine, scanStatusLine, VERSION_PREFIX } from "./start-line.ts";

export interface ReadHead {
  /** "" in a response. */
  readonly method: string;
  readonly target: string;
  readonly minorVersion: number;
  /** 0 in a request. */
  readonly status: number;
  readonly reason: string;
  /** Of the lines that are whole. */
  readonly headers: Header[];
  /** Through the empty line, or all there is. The body starts here. */
  readonly headBytes: number;
  /** The empty line is there. */
  readonly isComplete: boolean;
}

/** Of what is cut short or is no head, tells what it can; never throws. */
export function readHead(bytes: Uint8Array, kind: "request" | "response"): ReadHead {
  const head = newHead();
  const startLineEnd = lineEnd(bytes, 0);
  if (kind === "request") scanRequestLine(bytes, 0, startLineEnd, head);
  else scanStatusLine(bytes, 0, startLineEnd, head);
  const fields = fieldLines(bytes, startLineEnd);
  return {
    method: latin1(bytes, 0, head.methodEnd),
    target: latin1(bytes, head.targetStart, head.targetEnd),
    minorVersion: head.minorVersion,
    status: head.status,
    reason: kind === "response" ? readReason(bytes, startLineEnd) : "",
    headers: parseHeaders(bytes, startLineEnd, fields.end),
    headBytes: fields.isComplete ? lineEnd(bytes, fields.end) : bytes.length,
    isComplete: fields.isComplete,
  };
}

/** After the digits of the status code, which stand between blanks (RFC 9112, 4). */
function readReason(bytes: Uint8Array, lineFeedEnd: number): string {
  let end = lineFeedEnd;
  while (end > 0 && (bytes[end - 1] === LF || bytes[end - 1] === CR)) end--;
  let at = VERSION_PREFIX.length + 1;
  while (at < end && isBlank(bytes[at]!)) at++;
  while (at < end && !isBlank(bytes[at]!)) at++;
  while (at < end && isBlank(bytes[at]!)) at++;
  return latin1(bytes, at, end);
}

/** Where the whole lines after the start line end, the empty one aside. */
function fieldLines(bytes: Uint8Array, start: number): { end: number; isComplete: boolean } {
  let at = start;
  while (at < bytes.length) {
    if (bytes[at] === LF || (bytes[at] === CR && bytes[at + 1] === LF)) return { end: at, isComplete: true };
    const next = lineEnd(bytes, at);
    if (bytes[next - 1] !== LF) break;
    at = next;
  }
  return { end: at, isComplete: false };
}

function lineEnd(bytes: Uint8Array, start: number): number {
  const at = bytes.indexOf(LF, start);
  return at < 0 ? bytes.length : at + 1;
}
