/**
 * Streams of bytes that reach deep into HTTP/1: messages from a grammar whose every part may be hostile, and what is
 * known of real ones, each with a few edits. They shrink to few parts and few edits.
 */
import fc from "fast-check";
import { corpus, type Kind } from "./corpus.ts";

/** What steers, hides, reorders or ends something somewhere. */
const HOSTILE = [
  ..."\0\b\x1b\x7f\x85\x9b\xa0\xad\xff",
  "\x1b[2J\x1b[31m",
  "\x1b]0;title\x07",
  "\xe2\x80\xae", // U+202E in UTF-8
  "\xe2\x81\xa6", // U+2066
  "\xe2\x80\x8b", // U+200B
  "\xed\xa0\x80", // a surrogate
  "\xc3", // half a character
  "\xf4\x90\x80\x80", // past U+10FFFF
  "%00%1b%e2%80%ae",
  "\u00e9",
  "'\"<>&\\",
  "{id}",
] as const;

const octet = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const token = fc.constantFrom("GET", "HEAD", "POST", "CONNECT", "OPTIONS", "M-SEARCH", "get", "PRI", "X");
const hostile = fc.constantFrom(...HOSTILE);
const blank = fc.constantFrom(" ", "  ", "\t", "", " \t ");
const lineEnd = fc.oneof(
  { weight: 12, arbitrary: fc.constant("\r\n") },
  { weight: 1, arbitrary: fc.constantFrom("\n", "\r", "\r\r\n", "\n\r", "") },
);
const number = fc.oneof(
  fc.nat(40).map(String),
  fc.constantFrom(
    ...["0", "00", "-1", "+5", "5, 5", "5,6", "0x5", "5 5", "", "9007199254740991", "9007199254740992", "4294967296"],
    ...["18446744073709551616", "99999999999999999999999", "5;", "\xd9\xa5", "1e3", "5.0"],
  ),
);
const chunkSize = fc.oneof(
  fc.nat(40).map((size) => size.toString(16)),
  fc.constantFrom(
    "0",
    "000",
    "g",
    "-1",
    "0x5",
    "fffffffffffff",
    "20000000000000",
    "ffffffffffffffffffff",
    "",
    "5 ",
    " 5",
  ),
);
const word = fc.array(fc.oneof({ weight: 3, arbitrary: octet }, hostile), { maxLength: 6 }).map((all) => all.join(""));
const target = fc.oneof(
  fc.constantFrom("/", "*", "/a?b=c", "http://h/a", "h:80", "//", "/users/123/x", "/%2e%2e/", "/a b"),
  word.map((text) => `/${text}`),
  fc.integer({ min: 1, max: 3000 }).map((length) => `/${"u".repeat(length)}`),
);
const version = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("HTTP/1.1", "HTTP/1.0") },
  { weight: 1, arbitrary: fc.constantFrom("HTTP/1.9", "HTTP/2.0", "http/1.1", "HTTP/1.", "HTTP/11", "") },
);
const codings = fc.constantFrom("chunked", "gzip, chunked", "chunked, gzip", "identity", "xchunked", "chunked\x0b", "");

const field = fc.oneof(
  fc.tuple(fc.constantFrom("Content-Length", "content-length", "Content-Length ", "Content_Length"), blank, number),
  fc.tuple(fc.constantFrom("Transfer-Encoding", "transfer-encoding ", "Transfer-Encoding\0"), blank, codings),
  fc.tuple(
    fc.constantFrom("Expect", "Connection", "Upgrade", "Host"),
    blank,
    fc.constantFrom("100-continue", "close", "websocket", "h", ""),
  ),
  fc.tuple(fc.constantFrom("traceparent", "sw8", "b3", "Cookie", "Authorization", "Content-Type"), blank, word),
  fc.tuple(word, fc.constantFrom("", " "), word),
);
const fieldLine = fc.oneof(
  { weight: 6, arbitrary: field.map(([name, blank, value]) => `${name}:${blank}${value}`) },
  {
    weight: 1,
    arbitrary: fc.oneof(
      word.map((text) => ` ${text}`),
      word,
      fc.constantFrom("\tfold", ":", "a : b"),
    ),
  },
);
const body = fc.oneof(
  fc.constant(""),
  fc.nat(40).map((size) => "b".repeat(size)),
  word,
  fc
    .array(
      fc.tuple(
        chunkSize,
        fc.oneof(
          fc.constant(""),
          word.map((text) => `;${text}`),
        ),
        lineEnd,
      ),
      { maxLength: 4 },
    )
    .map((chunks) => chunks.map(([size, extension, end]) => `${size}${extension}${end}${dataOf(size)}${end}`).join("")),
  fc.constantFrom("0\r\n\r\n", "5\r\nhello\r\n0\r\nT: x\r\n\r\n"),
);

function dataOf(size: string): string {
  const length = Number.parseInt(size, 16);
  return length > 0 && length <= 64 ? "d".repeat(length) : "";
}

const requestLine = fc
  .tuple(token, blank, target, blank, version)
  .map(([method, before, uri, after, protocol]) => `${method}${before || " "}${uri}${after || " "}${protocol}`);
const statusLine = fc
  .tuple(
    version,
    blank,
    fc.oneof(fc.integer({ min: 100, max: 599 }).map(String), fc.constantFrom("99", "1000", "2x0")),
    word,
  )
  .map(([protocol, between, status, reason]) => `${protocol}${between || " "}${status} ${reason}`);

const message = (kind: Kind) =>
  fc
    .tuple(
      kind === "request" ? requestLine : statusLine,
      fc.array(fc.tuple(fieldLine, lineEnd), { maxLength: 6 }),
      lineEnd,
      body,
    )
    .map(
      ([start, fields, end, content]) =>
        `${start}${end}${fields.map((part) => part.join("")).join("")}${end}${content}`,
    );

/** What a value may hold, if it is not to break the grammar. */
const value = word.map((text) => text.replace(/[\r\n\0]/g, "\t"));
const name = fc.constantFrom("Host", "X-Y", "traceparent", "Cookie", "sw8", "Content-Type", "b3", "X-\x7f");
const payload = fc.oneof(
  word,
  fc.integer({ min: 0, max: 3000 }).map((length) => "p".repeat(length)),
);

/** Well-formed, and as hostile as that allows. */
export const wellFormed = (kind: Kind) =>
  fc
    .record({
      method: fc.constantFrom("GET", "POST", "HEAD", "PUT", "FROB"),
      status: fc.constantFrom(200, 200, 201, 204, 304, 404, 500, 100, 103, 101, 999),
      path: fc.oneof(
        fc.constantFrom("/", "/users/123?token=a", "*"),
        word.map((text) => `/${text.replace(/[\0- ]/g, "")}`),
        fc.integer({ min: 1, max: 3000 }).map((length) => `/${"u".repeat(length)}`),
      ),
      fields: fc.array(fc.tuple(name, value), { maxLength: 4 }),
      isChunked: fc.boolean(),
      content: payload,
    })
    .map(({ method, status, path, fields, isChunked, content }) => {
      const start =
        kind === "request"
          ? `${method} ${path} HTTP/1.1`
          : `HTTP/1.1 ${status} ${content.slice(0, 3).replace(/[\r\n]/g, "")}`;
      const isBodiless = kind === "response" && (status < 200 || status === 204 || status === 304);
      const isCoded = isChunked && content !== "";
      const framing = isCoded ? "Transfer-Encoding: chunked" : `Content-Length: ${content.length}`;
      const coded = isCoded ? `${content.length.toString(16)};x=y\r\n${content}\r\n0\r\n\r\n` : content;
      const lines = [start, ...fields.map((field) => field.join(": ")), ...(isBodiless ? [] : [framing])];
      return `${lines.join("\r\n")}\r\n\r\n${isBodiless ? "" : coded}`;
    });

interface Edit {
  readonly kind: "insert" | "delete" | "overwrite" | "repeat" | "move";
  /** As a share of the length, so that it stays within as the text shrinks. */
  readonly at: number;
  readonly length: number;
  readonly text: string;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom("insert", "delete", "overwrite", "repeat", "move"),
  at: fc.nat(9999).map((share) => share / 10_000),
  length: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 400 })),
  text: fc.oneof(
    octet,
    hostile,
    lineEnd,
    number,
    fieldLine.map((line) => `${line}\r\n`),
    fc.constantFrom("chunked", "HTTP/1.1", " ", ":"),
  ),
});

function edited(text: string, { kind, at, length, text: other }: Edit): string {
  const start = Math.floor(at * text.length);
  const [before, taken, after] = [text.slice(0, start), text.slice(start, start + length), text.slice(start + length)];
  if (kind === "insert") return before + other + taken + after;
  if (kind === "delete") return before + after;
  if (kind === "overwrite") return before + other + text.slice(start + other.length);
  if (kind === "repeat") return before + taken.repeat(3) + after;
  return before + after + taken;
}

const texts = { request: corpusTexts("request"), response: corpusTexts("response") };

function corpusTexts(kind: Kind): fc.Arbitrary<string> {
  return fc.constantFrom(...new Set(corpus[kind].map((bytes) => Buffer.from(bytes).toString("latin1"))));
}

/** A few messages, each well-formed or not. */
export function httpText(kind: Kind): fc.Arbitrary<string> {
  const part = fc.oneof(
    { weight: 6, arbitrary: wellFormed(kind) },
    { weight: 3, arbitrary: message(kind) },
    { weight: 4, arbitrary: texts[kind] },
    { weight: 1, arbitrary: word },
  );
  return fc
    .tuple(
      fc.oneof(
        { weight: 3, arbitrary: part.map((one) => [one]) },
        { weight: 1, arbitrary: fc.array(part, { minLength: 1, maxLength: 4 }) },
      ),
      fc.oneof(
        { weight: 2, arbitrary: fc.constant<Edit[]>([]) },
        { weight: 1, arbitrary: fc.array(edit, { maxLength: 3 }) },
      ),
    )
    .map(([parts, edits]) => edits.reduce(edited, parts.join("")));
}
