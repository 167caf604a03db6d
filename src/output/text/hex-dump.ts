/** The start of binary data as `hexdump -C` shows it; 78 columns. */
import { formatExact } from "../units.ts";

const BYTES_A_LINE = 16;
const MOST_LINES = 8;

export function hexDump(bytes: Uint8Array, mostLines = MOST_LINES): string[] {
  const lines: string[] = [];
  const shown = Math.min(bytes.length, BYTES_A_LINE * mostLines);
  for (let offset = 0; offset < shown; offset += BYTES_A_LINE) {
    lines.push(dumpLine(offset, bytes.subarray(offset, offset + BYTES_A_LINE)));
  }
  const rest = bytes.length - shown;
  return rest > 0 ? [...lines, `[${formatExact(rest)} more binary bytes]`] : lines;
}

function dumpLine(offset: number, bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  const halves = [hex.slice(0, 8).join(" "), hex.slice(8).join(" ")].join("  ");
  const ascii = Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."));
  return `${offset.toString(16).padStart(8, "0")}  ${halves.padEnd(48)}  |${ascii.join("")}|`;
}
