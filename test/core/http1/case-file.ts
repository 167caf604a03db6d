import { ascii } from "../../../src/core/http1/bytes.ts";

/** One step of a case: bytes that go through, or a number of bytes that went through unseen. */
export type Step =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array; readonly isCallStart: boolean }
  | { readonly kind: "gap"; readonly length: number };

/** See test/fixtures/http1/README.md. */
export interface HttpCase {
  readonly title: string;
  readonly direction: "request" | "response";
  readonly options: ReadonlySet<string>;
  readonly steps: readonly Step[];
  readonly expected: readonly string[];
}

export function parseCase(text: string): HttpCase {
  const lines = text.split("\n");
  const title =
    lines
      .find((line) => line.startsWith("#"))
      ?.slice(1)
      .trim() ?? "";
  const inAt = lines.indexOf("in");
  const outAt = lines.indexOf("out");
  if (!/RFC \d{4}/.test(title) || inAt < 0 || outAt < inAt) throw new Error(`not a case: ${title}`);
  const [direction, ...options] = lines
    .slice(0, inAt)
    .filter((line) => line !== "" && !line.startsWith("#"))
    .flatMap((line) => line.split(", "));
  if (direction !== "request" && direction !== "response") throw new Error(`no direction: ${title}`);
  const calls = splitCalls(lines.slice(inAt + 1, outAt));
  return {
    title,
    direction,
    options: new Set(options),
    steps: calls.flatMap(parseCall),
    expected: lines.slice(outAt + 1).filter((line) => line !== ""),
  };
}

function splitCalls(lines: readonly string[]): string[] {
  const calls = [""];
  for (const line of lines) {
    if (line === "--") calls.push("");
    else calls[calls.length - 1] += line;
  }
  return calls;
}

function parseCall(text: string): Step[] {
  return text.split(/(?<!\\)~(\d+)~/).flatMap((part, index): Step[] => {
    if (index % 2 === 1) return [{ kind: "gap", length: Number(part) }];
    return part === "" ? [] : [{ kind: "bytes", bytes: ascii(unescaped(part)), isCallStart: index === 0 }];
  });
}

const ESCAPES: Readonly<Record<string, string>> = { r: "\r", n: "\n", t: "\t", "0": "\0" };

function unescaped(text: string): string {
  return text
    .replace(/<(\d+)\*([^>]+)>/g, (_, count: string, repeated: string) => repeated.repeat(Number(count)))
    .replace(/\\(?:x([0-9a-f]{2})|(.))/gs, (_, hex: string | undefined, char: string) =>
      hex === undefined ? (ESCAPES[char] ?? char) : String.fromCharCode(Number.parseInt(hex, 16)),
    );
}
