import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Head, HeadVerdict } from "../../../src/core/http1/handler.ts";
import { MessageParser } from "../../../src/core/http1/parser.ts";
import { type HttpCase, parseCase, type Step } from "./case-file.ts";
import { Recorder } from "./recorder.ts";

const FOLDER = new URL("../../fixtures/http1/", import.meta.url);
// Beyond it a case is about a limit, and is not cut at every place.
const MAX_SPLIT_BYTES = 2000;

for (const file of readdirSync(FOLDER, { recursive: true, encoding: "utf8" })) {
  if (!file.endsWith(".case")) continue;
  const httpCase = parseCase(readFileSync(new URL(file, FOLDER), "utf8"));
  describe(`${file}: ${httpCase.title}`, () => testCase(httpCase));
}

function testCase(httpCase: HttpCase) {
  const { steps, expected } = httpCase;
  it("whole", () => expect(run(httpCase, steps)).toEqual(expected));
  if (httpCase.options.has("whole calls")) return;
  it("byte by byte", () => expect(run(httpCase, cutEvery(steps, 1, false))).toEqual(expected));
  it("in pieces of 3 and of 1000", () => {
    expect(run(httpCase, cutEvery(steps, 3, false))).toEqual(expected);
    expect(run(httpCase, cutEvery(steps, 1000, false))).toEqual(expected);
  });
  const size = countBytes(steps);
  if (size > MAX_SPLIT_BYTES) return;
  it("split in two at every place", () => {
    for (let at = 1; at < size; at++) expect(run(httpCase, cutAt(steps, at, false)), `at ${at}`).toEqual(expected);
  });
  // Once lost, a new call is a new chance, so that calls may then matter; before that they may not.
  if (
    httpCase.options.has("joined") ||
    expected.some((line) => line.startsWith("lost ")) ||
    httpCase.options.has("optional body")
  )
    return;
  it("as calls of one byte", () => expect(run(httpCase, cutEvery(steps, 1, true))).toEqual(expected));
  it("as two calls, at every place", () => {
    for (let at = 1; at < size; at++) expect(run(httpCase, cutAt(steps, at, true)), `at ${at}`).toEqual(expected);
  });
}

function run(httpCase: HttpCase, steps: readonly Step[]): string[] {
  const { options, direction } = httpCase;
  const recorder = new Recorder(direction, (head) => verdict(options, head));
  const parser = new MessageParser(direction, recorder, !options.has("joined"));
  for (const step of steps) {
    if (step.kind === "gap") parser.skip(step.length);
    else feed(parser, step.bytes, step.isCallStart);
    if (options.has("optional body")) parser.bodyIsOptional();
  }
  if (options.has("ends")) parser.end();
  const state = parser.isLost ? "lost" : parser.isTunnel ? "tunnel" : parser.isIdle ? "idle" : "open";
  const { lostBytes, tunnelBytes } = parser;
  return [...recorder.events, `then ${state}, ${lostBytes} bytes lost, ${tunnelBytes} in the tunnel`];
}

const ring = new Uint8Array(new ArrayBuffer(512 * 1024), 1).fill(0x0a);
let ringAt = 0;

/** As in a run: the bytes lie anywhere in one large view, and are something else afterwards. */
function feed(parser: MessageParser, bytes: Uint8Array, isCallStart: boolean) {
  ringAt = (ringAt + 1) % 61;
  const end = ringAt + bytes.length;
  ring.set(bytes, ringAt);
  parser.feed(ring, ringAt, end, isCallStart);
  ring.fill(0x0a, ringAt, end);
}

function verdict(options: ReadonlySet<string>, head: Head): HeadVerdict {
  if (options.has("answers HEAD")) return "no-body";
  const isSwitch = head.status === 101 || (options.has("answers CONNECT") && head.status >= 200 && head.status < 300);
  return isSwitch ? "tunnel" : "framed";
}

function countBytes(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => sum + (step.kind === "bytes" ? step.bytes.length : 0), 0);
}

function cutEvery(steps: readonly Step[], length: number, areCalls: boolean): Step[] {
  return steps.flatMap((step): Step[] => {
    if (step.kind === "gap") return [step];
    return Array.from({ length: Math.ceil(step.bytes.length / length) }, (_, index) => ({
      kind: "bytes" as const,
      bytes: step.bytes.subarray(index * length, (index + 1) * length),
      isCallStart: areCalls || (index === 0 && step.isCallStart),
    }));
  });
}

/** Cuts the step that the byte number `at` of the whole case is in. */
function cutAt(steps: readonly Step[], at: number, areCalls: boolean): Step[] {
  let before = 0;
  return steps.flatMap((step): Step[] => {
    if (step.kind === "gap") return [step];
    const offset = at - before;
    before += step.bytes.length;
    if (offset <= 0 || offset >= step.bytes.length) return [step];
    return [
      { ...step, bytes: step.bytes.subarray(0, offset) },
      { ...step, bytes: step.bytes.subarray(offset), isCallStart: areCalls },
    ];
  });
}
