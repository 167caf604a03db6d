/** Streams that llhttp, the parser of Node, accepts whole: the same messages are found in them here. */
import fc from "fast-check";
import { MessageParser } from "../../src/core/http1/parser.ts";
import { readWithLlhttp } from "../core/http1/llhttp.ts";
import { Recorder } from "../core/http1/recorder.ts";
import type { Kind } from "./corpus.ts";
import { httpText } from "./http-bytes.ts";
import { type Fuzzed, same } from "./property.ts";

const streams = fc
  .constantFrom<Kind>("request", "response")
  .chain((kind) => fc.record({ kind: fc.constant(kind), text: httpText(kind) }));

/** What the two judge differently on purpose: see oracle.test.ts. */
const JUDGED_OTHERWISE = [
  /HTTP\/(?!1\.[01])/i,
  /HTTP\/1\.0[^\n]*\n(?:[^\n]+\n)*transfer-encoding/i,
  /transfer-encoding[ \t]*:(?![ \t]*chunked\r\n)/i,
  /\d{16}|[0-9a-f]{14}/i,
  /HTTP\/1\.\d +(?:0\d\d|1\d\d|204|304)/,
  /\r(?!\n)/,
  /(?:^|\n)\S+[ \t]+[^ \t]+\r?\n/,
];

export const oracle: Fuzzed = {
  name: "parser: finds what llhttp finds in what it accepts",
  testRuns: 2000,
  property: () =>
    fc.property(streams, ({ kind, text }) => {
      if (JUDGED_OTHERWISE.some((pattern) => pattern.test(text))) return;
      const bytes = Buffer.from(text, "latin1");
      const theirs = readWithLlhttp(kind, bytes, true);
      if (theirs.isRefused || theirs.isUpgrade || theirs.events.some(isOldRequest)) return;
      same(read(kind, bytes), theirs.events, "here, llhttp");
    }),
};

/** HTTP/0.9 has no version: what is told as one is that of the message before. */
function isOldRequest(event: string): boolean {
  return event !== "end" && !/ 1\.[01]$/.test(event);
}

function read(kind: Kind, bytes: Uint8Array): string[] {
  const recorder = new Recorder(kind);
  const parser = new MessageParser(kind, recorder, true);
  parser.feed(bytes, 0, bytes.length, true);
  parser.end();
  return recorder.events.flatMap((event) => {
    const [, head] = /^head (\S+ \S+ 1\.\d|\d+ 1\.\d)/.exec(event) ?? [];
    if (head !== undefined) return [head];
    return event.startsWith("end ")
      ? ["end"]
      : event.startsWith("lost truncated")
        ? []
        : event.startsWith("lost")
          ? [event]
          : [];
  });
}
