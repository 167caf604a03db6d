import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ascii } from "../../../src/core/http1/bytes.ts";
import { MessageParser } from "../../../src/core/http1/parser.ts";
import { Recorder } from "./recorder.ts";

const RING_BYTES = 20_000;

type Kind = "request" | "response";

const kinds = fc.constantFrom<Kind>("request", "response");
/** Pieces that bring a random stream deep into the grammar. */
const fragments = fc.oneof(
  fc.constantFrom(
    ...[
      "GET / HTTP/1.1\r\n",
      "HTTP/1.1 200 OK\r\n",
      "HTTP/1.1 304\r\n",
      "\r\n",
      "\n",
      "\r",
      "0\r\n\r\n",
      "5\r\nhello\r\n",
    ],
    ...["Content-Length: 5\r\n", "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n", "Expect: 100-continue\r\n"],
    ...["X: y\r\n", " fold\r\n", "hello", "GET /", "HTTP/1", "G", "H", "5", ";", '"', ":", " ", "\0", "\x16\x03\x01"],
  ),
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 8 }),
);
const stream = fc.array(fragments, { maxLength: 30 }).map((parts) => ascii(parts.join("")));

type Operation =
  | { readonly kind: "feed"; readonly bytes: Uint8Array; readonly isCallStart: boolean }
  | { readonly kind: "skip"; readonly n: number }
  | { readonly kind: "bodyIsOptional" | "resync" | "end" };
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant("feed" as const), bytes: stream, isCallStart: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("skip" as const), n: fc.integer({ min: 0, max: 9 }) }) },
  { weight: 2, arbitrary: fc.constant({ kind: "bodyIsOptional" as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("resync" as const, "end" as const) }) },
);

function apply(parser: MessageParser, operation: Operation): number {
  if (operation.kind === "feed") parser.feed(operation.bytes, 0, operation.bytes.length, operation.isCallStart);
  else if (operation.kind === "skip") parser.skip(operation.n);
  else if (operation.kind === "end") parser.end();
  else parser[operation.kind]();
  return operation.kind === "feed" ? operation.bytes.length : operation.kind === "skip" ? operation.n : 0;
}

describe("garbage never throws, and every byte is accounted for once", () => {
  it("fed + skipped = ended + empty lines + open + cut + lost + tunnel, after every step", () => {
    fc.assert(
      fc.property(kinds, fc.boolean(), fc.array(operation, { maxLength: 12 }), (kind, isAtStart, operations) => {
        const recorder = new Recorder(kind, (head) => (head.status === 304 ? "tunnel" : "framed"));
        const parser = new MessageParser(kind, recorder, isAtStart);
        let seen = 0;
        for (const operation of operations) {
          seen += apply(parser, operation);
          if (operation.kind === "resync") recorder.isOpen = false;
          const elsewhere = parser.emptyLineBytes + parser.proxyBytes + parser.openBytes + parser.cutBytes;
          expect(endedBytes(recorder) + elsewhere + parser.lostBytes + parser.tunnelBytes).toBe(seen);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe("splitting changes nothing", () => {
  it("one call in pieces brings the events and counts that it brings whole", () => {
    const pieceLengths = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(kinds, fc.boolean(), stream, pieceLengths, fc.boolean(), (kind, isAtStart, bytes, lengths, ends) => {
        const whole = runPieces(kind, isAtStart, bytes, [bytes.length || 1], ends);
        expect(runPieces(kind, isAtStart, bytes, lengths, ends)).toEqual(whole);
      }),
      { numRuns: 5000 },
    );
  });

  it("valid messages are found in calls of any length, with their sizes", () => {
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1 }), ({ kind, all }, lengths) => {
        const bytes = ascii(all.map((message) => message.head + message.body).join(""));
        const recorder = new Recorder(kind);
        const parser = new MessageParser(kind, recorder, true);
        for (const [start, end] of cut(bytes, lengths)) parser.feed(bytes, start, end, true);
        expect(ends(recorder)).toEqual(all.map((message) => `end ${message.head.length}+${message.body.length}`));
        expect(recorder.body).toBe(all.map((message) => message.body).join(""));
        expect([parser.lostBytes, parser.isIdle]).toEqual([0, true]);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("gaps", () => {
  it("never bring an end whose sizes are not those of the message that the stream holds", () => {
    const gaps = fc.array(fc.tuple(fc.nat(2000), fc.integer({ min: 1, max: 200 })), { maxLength: 4 });
    fc.assert(
      fc.property(
        messages,
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }),
        gaps,
        ({ kind, all }, lengths, gaps) => {
          const bytes = ascii(all.map((message) => message.head + message.body).join(""));
          const recorder = new Recorder(kind);
          const parser = new MessageParser(kind, recorder, true);
          for (const [start, end] of cut(bytes, lengths)) feedWithGaps(parser, bytes, start, end, gaps);
          for (const [index, event] of recorder.events.entries()) {
            if (!event.startsWith("end ")) continue;
            // The number of a message is its target or its status.
            const number = Number(/\d+/.exec(recorder.events[index - 1]!)![0]) % 100;
            expect(event).toBe(`end ${all[number]!.head.length}+${all[number]!.body.length}`);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

/** Valid messages; the one at index i has the target /i or the status 400 + i. Bodies hold nothing like a head. */
const messages = fc
  .tuple(
    kinds,
    fc.array(fc.tuple(fc.nat(2), fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 4 }), fc.nat(100)), {
      minLength: 1,
      maxLength: 8,
    }),
  )
  .map(([kind, shapes]) => ({
    kind,
    all: shapes.map(([framing, chunks, length], index) => {
      const startLine = kind === "request" ? `POST /${index} HTTP/1.1` : `HTTP/1.1 ${400 + index} No`;
      const fields = [`X: ${"y".repeat(length)}`];
      let body = "";
      if (framing === 1 || (framing === 0 && kind === "response")) {
        body = "(".repeat(length);
        fields.push(`Content-Length: ${length}`);
      } else if (framing === 2) {
        body = `${chunks.map((size) => `${size.toString(16)};(\r\n${"(".repeat(size)}\r\n`).join("")}0\r\n(: t\r\n\r\n`;
        fields.push("Transfer-Encoding: chunked");
      }
      return { head: `${[startLine, ...fields].join("\r\n")}\r\n\r\n`, body };
    }),
  }));

function runPieces(kind: Kind, isAtStart: boolean, bytes: Uint8Array, lengths: readonly number[], ends: boolean) {
  const recorder = new Recorder(kind);
  const parser = new MessageParser(kind, recorder, isAtStart);
  // Large, as the ring buffer is: a short array is searched in another way.
  const ring = new Uint8Array(RING_BYTES);
  ring.set(bytes, 3);
  for (const [start, end] of cut(bytes, lengths)) parser.feed(ring, start + 3, end + 3, start === 0);
  const { openBytes } = parser;
  if (ends) parser.end();
  const { lostBytes, tunnelBytes, emptyLineBytes, proxyBytes, cutBytes, isIdle, isLost } = parser;
  return [
    recorder.events,
    recorder.body,
    openBytes,
    lostBytes,
    tunnelBytes,
    emptyLineBytes,
    proxyBytes,
    cutBytes,
    isIdle,
    isLost,
  ];
}

/** Consecutive ranges of these lengths, over and over. */
function cut(bytes: Uint8Array, lengths: readonly number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (let start = 0, i = 0; start < bytes.length; i++) {
    const end = Math.min(bytes.length, start + lengths[i % lengths.length]!);
    ranges.push([start, end]);
    start = end;
  }
  return ranges;
}

/** Feeds one call; bytes that a gap `[start, length]` covers are skipped instead. */
function feedWithGaps(
  parser: MessageParser,
  bytes: Uint8Array,
  start: number,
  end: number,
  gaps: readonly (readonly [number, number])[],
): void {
  const isInGap = (at: number) => gaps.some(([gapStart, length]) => at >= gapStart && at < gapStart + length);
  for (let at = start; at < end; ) {
    const isGap = isInGap(at);
    let to = at;
    while (to < end && isInGap(to) === isGap) to++;
    if (isGap) parser.skip(to - at);
    else parser.feed(bytes, at, to, at === start);
    at = to;
  }
}

function ends(recorder: Recorder): string[] {
  return recorder.events.filter((event) => event.startsWith("end "));
}

function endedBytes(recorder: Recorder): number {
  return ends(recorder).reduce((sum, event) => {
    const [headerBytes, bodyBytes] = event.slice(4).split("+").map(Number);
    return sum + headerBytes! + bodyBytes!;
  }, 0);
}
