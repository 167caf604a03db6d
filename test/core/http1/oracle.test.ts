/**
 * The cases of test/fixtures/http1/ read by llhttp, the parser of Node: it must find the same messages in them, or the
 * case stands in the list below with what the two do and why. A case that no longer differs must leave the list.
 */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type HttpCase, parseCase } from "./case-file.ts";
import { readWithLlhttp } from "./llhttp.ts";

const FOLDER = new URL("../../fixtures/http1/", import.meta.url);

/** llhttp refuses in its strict mode what servers accept: a profiler must count what they count. */
const REFUSED_BY_LLHTTP: Readonly<Record<string, string>> = {
  "chunked/bare-lf-size": "a bare LF ends the size line",
  "chunked/extensions": "blanks around the ; of an extension (BWS, 7.1.1)",
  "chunked/padded-size": "blanks after the size",
  "chunked/trailers-bare-lf": "a bare LF ends a trailer line",
  "chunked/trailers": "a Content-Length among the trailers, which 6.5.1 of RFC 9110 tells to ignore",
  "close/identity": "Transfer-Encoding with Content-Length in a response",
  "fields/bare-cr-in-value": "a bare CR in a field that frames nothing",
  "fields/blank-before-colon-response": "a blank before the colon, which 5.1 tells a proxy to remove",
  "fields/blank-before-colon": "a blank before the colon of a field that frames nothing",
  "fields/blank-in-name-response": "a blank in a name",
  "fields/blank-in-name": "a blank in a name",
  "fields/head-of-66000": "Node's own limit of 16 KiB",
  "fields/no-colon": "a line without colon",
  "fields/nul-in-value": "a NUL in a value that frames nothing",
  "fields/obs-fold-length-response": "obs-fold, which 5.2 tells a user agent to take for a SP",
  "fields/obs-fold": "obs-fold in a field that frames nothing",
  "length/equal-repeats": "equal repeats of Content-Length, which 6.3 allows to accept",
  "smuggling/cl-te": "Content-Length with Transfer-Encoding, where 6.3 lets the latter win",
  "smuggling/hidden-by-bare-cr": "a bare CR in a field that frames nothing",
  "smuggling/hidden-by-fold": "obs-fold in a field that frames nothing",
  "smuggling/te-bad-cl": "Content-Length with Transfer-Encoding",
  "start-line/bare-lf": "bare LFs, which 2.2 lets a recipient accept",
  "start-line/long-target": "Node's own limit of 16 KiB",
  "start-line/lowercase-method": "methods that it does not know",
  "start-line/mixed-line-ends": "bare LFs",
  "start-line/octets-in-target": "octets past ASCII in a target",
  "start-line/odd-token": "methods that it does not know",
  "start-line/version-1.9": "minor versions past 1 (RFC 9110, 2.5, tells to accept them)",
  "start-line/wide-blanks": "more than one blank between words (3 lets a recipient accept them)",
  "chunked/nul-in-extension": "octets in an extension that no token has",
  "chunked/trailer-like-a-head": "a Content-Length among the trailers",
  "chunked/trailer-obs-fold": "obs-fold, and a line without colon, among the trailers",
  "fields/empty-name": "a line that begins with the colon",
  "fields/terminal-escapes": "controls in a value that frames nothing",
  "length/tabs": "a tab after the length, which 5.6.3 of RFC 9110 allows",
  "no-body/304-broken-length": "a length that is none where none counts",
  "pipelined/after-connection-close": "data after Connection: close, which 9.6 only tells the server to stop reading",
  "smuggling/cl-te-response": "Content-Length with Transfer-Encoding in a response, where 6.3 lets the latter win",
  "smuggling/lf-cr": "bare LFs",
  "start-line/bidi-in-target": "octets past ASCII in a target",
  "start-line/del-in-target": "DEL in a target",
  "start-line/status-tabs": "tabs between the words of a status line (4 lets a recipient accept them)",
};

/** l7prof refuses, or loses, what llhttp goes on with. */
const REFUSED_HERE: Readonly<Record<string, string>> = {
  "chunked/endless-size": "llhttp has no limit to leading zeros",
  "chunked/huge-size": "numbers past 2^53 are exact in llhttp up to 2^64",
  "length/too-large": "likewise",
  "length/past-2-53": "likewise",
  "smuggling/te-1.0": "Transfer-Encoding in an HTTP/1.0 request, faulty framing by 6.1",
  "smuggling/te-empty": "Transfer-Encoding without a coding: llhttp ignores it, and reads the chunks as a message",
  "smuggling/te-parameter": "chunked with a parameter: llhttp refuses it later",
  "smuggling/te-quoted": "likewise in quotes",
  "start-line/simple-request": "HTTP/0.9",
  "start-line/status-099": "status codes below 100 (RFC 9110, 15)",
  "start-line/version-2.0": "HTTP/2.0 in a request line",
  "joins/after-invalid": "llhttp gives up at the first error, l7prof finds the next message",
};

/** Both accept it, and do not read the same. */
const READ_OTHERWISE: Readonly<Record<string, string>> = {
  "chunked/two-codings": "llhttp takes the empty element after CHUNKED for a coding (against RFC 9110, 5.6.1.2)",
};

const DIFFERENCES: Readonly<Record<string, string>> = { ...REFUSED_BY_LLHTTP, ...REFUSED_HERE, ...READ_OTHERWISE };

const names = readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".case"))
  .map((file) => file.slice(0, -".case".length));
const cases = names
  .map((name) => [name, parseCase(readFileSync(new URL(`${name}.case`, FOLDER), "utf8"))] as const)
  .filter(([, httpCase]) => isForBoth(httpCase));

/** llhttp knows no gaps, no streams joined late, and of the other direction only what its owner says of HEAD. */
function isForBoth({ options, steps }: HttpCase): boolean {
  const others = ["joined", "optional body", "answers CONNECT"];
  return !others.some((option) => options.has(option)) && steps.every(({ kind }) => kind === "bytes");
}

/** `METHOD target 1.x`, `status 1.x` and `end`, and whether anything was refused. */
function expectedOf({ expected }: HttpCase): readonly [events: string[], isRefused: boolean] {
  const events = expected.flatMap((line) => {
    const [, head] = /^head (\S+ \S+ 1\.\d|\d+ 1\.\d)/.exec(line) ?? [];
    return head !== undefined ? [head] : line.startsWith("end ") ? ["end"] : [];
  });
  return [events, expected.some((line) => line.startsWith("lost "))];
}

function llhttpOf({ direction, steps, options }: HttpCase): readonly [events: readonly string[], isRefused: boolean] {
  const bytes = Buffer.concat(steps.flatMap((step) => (step.kind === "bytes" ? [step.bytes] : [])));
  const { events, isRefused } = readWithLlhttp(direction, bytes, options.has("ends"), options.has("answers HEAD"));
  return [events, isRefused];
}

describe("llhttp reads it the same", () => {
  it.each(cases.filter(([name]) => !(name in DIFFERENCES)))("%s", (_, httpCase) => {
    expect(llhttpOf(httpCase)).toEqual(expectedOf(httpCase));
  });
});

describe("llhttp reads it otherwise", () => {
  it.each(Object.entries(DIFFERENCES))("%s: %s", (name) => {
    const [, httpCase] = cases.find(([other]) => other === name)!;
    expect(llhttpOf(httpCase)).not.toEqual(expectedOf(httpCase));
    // Never so that both accept all of it and see other messages, but for what is listed as such.
    const isAcceptedByBoth = !llhttpOf(httpCase)[1] && !expectedOf(httpCase)[1];
    expect(isAcceptedByBoth).toBe(name in READ_OTHERWISE);
    if (name in REFUSED_BY_LLHTTP) expect(llhttpOf(httpCase)[1]).toBe(true);
    if (name in REFUSED_HERE) expect(expectedOf(httpCase)[1]).toBe(true);
  });
});
