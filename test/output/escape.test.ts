import { expect, test } from "vitest";
import { escapeForCell, escapeForTerminal, escapeInJson } from "../../src/output/escape.ts";

test.each([
  ["a C0 control", "\u001b[2J", "\\x1b[2J"],
  ["a C1 control", "\u009b31m", "\\x9b31m"],
  ["DEL", "\u007f", "\\x7f"],
  [
    "bidi marks",
    "\u202a\u202e\u2066\u2069\u200e\u200f\u061c",
    "\\u{202a}\\u{202e}\\u{2066}\\u{2069}\\u{200e}\\u{200f}\\u{61c}",
  ],
  ["zero width", "\u200b\u200d\u2060\ufeff\u00ad", "\\u{200b}\\u{200d}\\u{2060}\\u{feff}\\xad"],
  ["separators", "\u2028\u2029\u0085", "\\u{2028}\\u{2029}\\x85"],
  ["lone surrogates", "\ud800x\udc00", "\\u{d800}x\\u{dc00}"],
  ["invisible tags", "\u{e0041}", "\\u{e0041}"],
])("%s becomes visible", (_, text, expected) => {
  expect(escapeForTerminal(text)).toBe(expected);
  expect(escapeForCell(text)).toBe(expected);
});

test("what a terminal prints stays as it is", () => {
  expect(escapeForTerminal("GET /naïve?q=日本 🙂")).toBe("GET /naïve?q=日本 🙂");
});

test("in a cell, what is not one column wide or runs from right to left becomes visible too", () => {
  expect(escapeForCell("é ж 日 e\u0301 א 🙂")).toBe("é ж \\u{65e5} e\\u{301} \\u{5d0} \\u{1f642}");
});

test("in JSON the escape parses back to the same text", () => {
  const json = JSON.stringify("\u009b\u2028\u{e0041}\ud800é");
  expect(escapeInJson(json)).toBe('"\\u009b\\u2028\\udb40\\udc41\\ud800é"');
  expect(JSON.parse(escapeInJson(json))).toBe(JSON.parse(json));
});
