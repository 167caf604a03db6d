import { expect, test } from "vitest";
import { cutMiddle, flow, rule, span, wrap } from "../../src/output/text/layout.ts";

const plain = (text: string) => text;

test("a long text loses its middle", () => {
  expect(cutMiddle("/api/v1/users/profile", 21)).toBe("/api/v1/users/profile");
  expect(cutMiddle("/api/v1/users/profile", 11)).toBe("/api/…ofile");
  expect(cutMiddle("/api", 1)).toBe("…");
});

test("spans go on the next line when they do not fit, and are cut when they fill one", () => {
  const spans = ["one", "two", "three", "a very long one"].map((text) => span(text));
  expect(flow(spans, 10, { next: "  " })).toBe("one  two\n  three\n  a ve…one\n");
});

test("a span's colour does not count", () => {
  expect(flow([span("one", (text) => `<${text}>`), span("two")], 8)).toBe("<one>  two\n");
});

test("a rule fills its line, or is text where it can not", () => {
  expect(rule([span("a"), span("b")], 12, plain)).toBe("── a  b ────\n");
  expect(rule([span("abcde"), span("f")], 10, plain)).toBe("abcde  f\n");
});

test("a wrapped line loses nothing, and wide characters count as two columns", () => {
  expect(wrap("abcdef", 4)).toEqual(["abcd", "ef"]);
  expect(wrap("日本語", 4)).toEqual(["日本", "語"]);
  expect(wrap("", 4)).toEqual([""]);
});
