/** The parser: any bytes, in any split, with any gap. */
import fc from "fast-check";
import { MAX_HEAD_BYTES } from "../../src/core/http1/head-scanner.ts";
import { MessageParser } from "../../src/core/http1/parser.ts";
import { Recorder } from "../core/http1/recorder.ts";
import type { Kind } from "./corpus.ts";
import { httpText } from "./http-bytes.ts";
import { check, type Fuzzed, same } from "./property.ts";

const kind = fc.constantFrom<Kind>("request", "response");
const streams = fc.oneof(httpText("request"), httpText("response"));
const pieces = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 900 })), {
  minLength: 1,
  maxLength: 12,
});

type Verdict = "framed" | "no-body" | "tunnel";
const verdicts = fc.array(
  fc.oneof({ weight: 6, arbitrary: fc.constant<Verdict>("framed") }, fc.constantFrom<Verdict>("no-body", "tunnel")),
  { minLength: 1, maxLength: 4 },
);

/** Bytes as one socket call, whole and in pieces: events, sizes, content and where the parser stands are the same. */
export const splitting: Fuzzed = {
  name: "parser: splitting changes nothing",
  testRuns: 1000,
  property: () =>
    fc.property(kind, fc.boolean(), streams, pieces, verdicts, (kind, isAtStart, text, lengths, verdicts) => {
      const bytes = Buffer.from(text, "latin1");
      const whole = run(kind, isAtStart, bytes, [bytes.length || 1], verdicts);
      same(run(kind, isAtStart, bytes, lengths, verdicts), whole, "split otherwise");
      same(run(kind, isAtStart, bytes, [1], verdicts), whole, "byte by byte");
    }),
};

function run(
  kind: Kind,
  isAtStart: boolean,
  bytes: Uint8Array,
  lengths: readonly number[],
  verdicts: readonly Verdict[],
) {
  let heads = 0;
  const recorder = new Recorder(kind, () => verdicts[heads++ % verdicts.length]!);
  const parser = new MessageParser(kind, recorder, isAtStart);
  for (let start = 0, i = 0; start < bytes.length; i++) {
    const end = Math.min(bytes.length, start + lengths[i % lengths.length]!);
    parser.feed(bytes, start, end, start === 0);
    start = end;
  }
  const { openBytes, lostBytes, tunnelBytes, emptyLineBytes, cutBytes, isIdle, isLost } = parser;
  parser.end();
  return [
    recorder.events,
    recorder.body,
    { openBytes, lostBytes, tunnelBytes, emptyLineBytes, cutBytes, isIdle, isLost },
  ];
}

type Step =
  | { readonly do: "feed"; readonly text: string; readonly isCallStart: boolean }
  | { readonly do: "skip"; readonly bytes: number }
  | { readonly do: "bodyIsOptional" | "resync" | "leaveHttp" | "end" };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant("feed" as const), text: streams, isCallStart: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("skip" as const), bytes: fc.oneof(fc.nat(40), fc.nat(2 ** 32 - 1)) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("bodyIsOptional" as const, "end" as const, "resync" as const) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "leaveHttp" as const }) },
);

/** Whatever happens, every byte is accounted for once, and no more than one head is kept. */
export const accounting: Fuzzed = {
  name: "parser: every byte is accounted for once",
  testRuns: 1000,
  property: () =>
    fc.property(kind, fc.boolean(), fc.array(step, { maxLength: 8 }), verdicts, (kind, isAtStart, steps, verdicts) => {
      let heads = 0;
      const recorder = new Recorder(kind, () => verdicts[heads++ % verdicts.length]!);
      const parser = new MessageParser(kind, recorder, isAtStart);
      let seen = 0;
      for (const step of steps) {
        seen += apply(parser, step);
        if (step.do === "resync" || step.do === "leaveHttp") recorder.isOpen = false;
        const elsewhere =
          parser.emptyLineBytes + parser.openBytes + parser.cutBytes + parser.lostBytes + parser.tunnelBytes;
        same(endedBytes(recorder) + elsewhere, seen, "accounted for, seen");
        const partial = (parser as unknown as { partialHead: { keptBytes: number } | null }).partialHead;
        check((partial?.keptBytes ?? 0) <= MAX_HEAD_BYTES, "more than a head is kept", partial?.keptBytes);
      }
    }),
};

function apply(parser: MessageParser, step: Step): number {
  if (step.do === "feed") {
    const bytes = Buffer.from(step.text, "latin1");
    parser.feed(bytes, 0, bytes.length, step.isCallStart);
    return bytes.length;
  }
  if (step.do === "skip") parser.skip(step.bytes);
  else if (step.do === "end") parser.end();
  else parser[step.do]();
  return step.do === "skip" ? step.bytes : 0;
}

function endedBytes(recorder: Recorder): number {
  const sizes = recorder.events.flatMap((event) => /^end (\d+)\+(\d+)$/.exec(event)?.slice(1) ?? []);
  return sizes.reduce((sum, size) => sum + Number(size), 0);
}
