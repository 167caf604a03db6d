/** The bytes of a packet capture: every byte at its place, and no secret among them. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitted, maskedBytes } from "../../src/core/wire-image.ts";

const masked = (text: string, kind: "request" | "response" = "request", limit = 10_000) =>
  Buffer.from(maskedBytes(Buffer.from(text, "latin1"), kind, limit, false)).toString("latin1");

describe("the wire image of a message", () => {
  it.each([
    [
      "without secrets",
      "GET /a?page=2 HTTP/1.1\r\nHost: a\r\n\r\nbody",
      "GET /a?page=2 HTTP/1.1\r\nHost: a\r\n\r\nbody",
    ],
    [
      "a long one",
      "GET / HTTP/1.1\r\nAuthorization: Bearer 0123456789\r\n\r\n",
      "GET / HTTP/1.1\r\nAuthorization: [redacted*******]\r\n\r\n",
    ],
    ["a short one", "GET /?token=abc&x=1 HTTP/1.1\r\n\r\n", "GET /?token=[re&x=1 HTTP/1.1\r\n\r\n"],
    [
      "two in one value",
      "GET /?token=a&key=0123456789abcdef HTTP/1.1\r\n\r\n",
      "GET /?token=[redact&key=[redacted] HTTP/1.1\r\n\r\n",
    ],
    [
      "a folded one",
      "GET / HTTP/1.1\r\nCookie: a=b;\r\n c=d\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nCookie: [redacted]\r\nHost: a\r\n\r\n",
    ],
    [
      "in a form",
      "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\npassword=x&n=1",
      "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\npassword=[&n=1",
    ],
    ["bytes that are no text", "GET / HTTP/1.1\r\n\r\n\xff\x00\xfe", "GET / HTTP/1.1\r\n\r\n\xff\x00\xfe"],
  ])("%s", (_name, wire, image) => {
    expect(masked(wire)).toBe(image);
    expect(image).toHaveLength(wire.length);
  });

  it("a rule that keeps none of it leaves nothing", () => {
    expect(masked("GET /secret HTTP/1.1\r\n\r\n", "request", 0)).toBe("");
  });

  it("is as long as what went over the connection, whatever that was", () => {
    const wire = fc.oneof(
      fc.string({ unit: "binary-ascii" }),
      fc.stringMatching(/^(GET|HTTP\/1\.1) [^\n]{0,40}\r\n((token|Cookie|X): [ -~]{0,30}\r\n){0,3}\r\n[ -~]{0,60}$/),
    );
    fc.assert(
      fc.property(wire, fc.constantFrom("request", "response"), (text, kind) => {
        expect(masked(text, kind)).toHaveLength(text.length);
      }),
    );
  });

  it("a mask takes up the difference, from the first on", () => {
    expect(fitted("ab", "[redacted]")).toBe("[r");
    expect(fitted("", "[redacted]")).toBe("");
    expect(fitted("x".repeat(12), "[redacted]")).toBe("[redacted**]");
  });
});
