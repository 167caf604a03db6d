import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ascii } from "../../../src/core/http1/bytes.ts";
import { dechunk } from "../../../src/core/http1/dechunk.ts";
import { looksLike } from "../../../src/core/http1/detect.ts";
import { findHeader, parseHeaders } from "../../../src/core/http1/headers.ts";
import { readHead } from "../../../src/core/http1/read-head.ts";
import { findBlankOrControl, findLineFeed } from "../../../src/core/http1/words.ts";

const octets = fc.uint8Array({ maxLength: 200 });

describe("looksLike", () => {
  it.each([
    ["GET / HTTP/1.1\r\n", "request"],
    ["GET /", "request"],
    ["\r\nGET /a", "request"],
    ["FROB *", "request"],
    ["CONNECT h:1", "request"],
    ["GET http://h/", "request"],
    ["GET / HTTP/1.1\r\nHost", "request"],
    ["GET / HTTP/2.0\r\n", "other"],
    ["GET /\r\n", "other"],
    ["GET index", "maybe"],
    ["see also: this", "other"],
    ["GE", "maybe"],
    ["", "maybe"],
    ["\r\n", "maybe"],
    ["H", "maybe"],
    ["HTTP/1.", "response"],
    ["HTTP/1.1 200 OK\r\n", "response"],
    ["HTTP/2", "other"],
    ["HTTP/1.x", "other"],
    ["PRI * H", "maybe"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http2-preface"],
    ["PRI /x HTTP/1.1\r\n", "request"],
    ["\x16\x03\x01\x02\x00", "tls"],
    ["\x17\x03\x03", "tls"],
    ["\x16", "maybe"],
    ["\x16\x04", "other"],
    ["{}", "other"],
    ["SELECT 1", "other"],
    ["A".repeat(300), "other"],
  ])("%j is %s", (text, looks) => expect(looksLike(ascii(text), 0, text.length)).toBe(looks));

  it("never becomes something else once it is other", () => {
    fc.assert(
      fc.property(octets, fc.nat(200), (bytes, length) => {
        if (looksLike(bytes, 0, Math.min(length, bytes.length)) !== "other") return;
        expect(looksLike(bytes, 0, bytes.length)).toBe("other");
      }),
    );
  });
});

describe("findLineFeed and findBlankOrControl", () => {
  const holder = new ArrayBuffer(64 * 1024);
  const octet = fc.oneof(
    fc.constantFrom(0x0a, 0x0b, 0x1f, 0x20, 0x21, 0x8a, 0x80, 0xa0),
    fc.integer({ min: 0, max: 255 }),
  );

  it("find in a large array, wherever it begins, what a look at each byte finds", () => {
    fc.assert(
      fc.property(fc.array(octet, { maxLength: 40 }), fc.nat(9), fc.nat(9), (octets, byteOffset, start) => {
        const bytes = new Uint8Array(holder, byteOffset, 32 * 1024).fill(0x0a);
        bytes.set(octets, start);
        const end = start + octets.length;
        const first = (isFound: (byte: number) => boolean) => {
          const index = octets.findIndex(isFound);
          return index < 0 ? end : start + index;
        };
        expect(findLineFeed(bytes, start, end)).toBe(first((byte) => byte === 0x0a));
        expect(findBlankOrControl(bytes, start, end)).toBe(first((byte) => byte <= 0x20));
      }),
      { numRuns: 3000 },
    );
  });
});

describe("parseHeaders", () => {
  const parse = (text: string) => parseHeaders(ascii(text), 0, text.length);

  it("keeps order, case, repeats and octets", () => {
    expect(parse("Host: a\r\nSet-Cookie: x\r\nset-cookie:\ty \t\r\nX:\r\nY: \xe9\x80\r\n\r\n")).toEqual([
      ["Host", "a"],
      ["Set-Cookie", "x"],
      ["set-cookie", "y"],
      ["X", ""],
      ["Y", "\xe9\x80"],
    ]);
  });

  it("joins folds with one space, and puts one for CR and NUL", () => {
    expect(parse("A: b \r\n \t c\r\n\td\r\nB: x\ry\0z\r\n")).toEqual([
      ["A", "b c d"],
      ["B", "x y z"],
    ]);
  });

  it("passes over a start line and what is no field, and trims a name", () => {
    expect(parse("GET http://a/ HTTP/1.1\r\nno colon\r\n: empty\r\nMy Header: x\r\nA : b\nC: d")).toEqual([
      ["A", "b"],
      ["C", "d"],
    ]);
  });
});

describe("findHeader", () => {
  const text = "HTTP/1.1 200 OK\r\nX-Host: no\r\nHOST : a\r\n b\r\nHost: c\r\n\r\n";

  it("gives the first value, whatever the case of the name", () => {
    expect(findHeader(ascii(text), 0, text.length, "host")).toBe("a b");
    expect(findHeader(ascii(text), 0, text.length, "x-host")).toBe("no");
    expect(findHeader(ascii(text), 0, text.length, "hos")).toBeNull();
    expect(findHeader(ascii(text), 0, text.length, "http/1.1 200 ok")).toBeNull();
  });

  it("agrees with parseHeaders", () => {
    const lines = fc.array(
      fc.constantFrom("a: 1", "A:2", "b : 3", " fold", "\tx", "ab: 4", "a", ":", "", "\ra: b", "a\0: c"),
    );
    fc.assert(
      fc.property(lines, fc.constantFrom("a", "b", "ab"), (all, name) => {
        const bytes = ascii(all.join("\r\n"));
        const listed = parseHeaders(bytes, 0, bytes.length).find(([key]) => key.toLowerCase() === name);
        expect(findHeader(bytes, 0, bytes.length, name)).toBe(listed?.[1] ?? null);
      }),
    );
  });
});

describe("dechunk", () => {
  it.each([
    ["5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nT: x\r\n\r\n", "hello world", true],
    ["5\r\nhello\r\n6\r\n wo", "hello wo", false],
    ["5\r\nhello\r\n0\r\n", "hello", false],
    ["0\r\n\r\nmore", "", true],
    ["5\r\nhelloXX", "hello", false],
    ["not chunked", "", false],
    ["", "", false],
  ])("%j", (text, body, isComplete) => {
    expect(dechunk(ascii(text))).toEqual({ body: ascii(body), isComplete });
  });
});

describe("readHead", () => {
  it("reads a request", () => {
    const text = "POST /a?b HTTP/1.0\r\nA: b\r\nC: d\r\n\r\nbody";
    expect(readHead(ascii(text), "request")).toEqual({
      method: "POST",
      target: "/a?b",
      minorVersion: 0,
      status: 0,
      reason: "",
      headers: [
        ["A", "b"],
        ["C", "d"],
      ],
      headBytes: text.length - 4,
      isComplete: true,
    });
  });

  it.each([
    ["HTTP/1.1 404 Not  Found\r\n\r\n", 404, "Not  Found"],
    ["HTTP/1.1 404 \r\n\r\n", 404, ""],
    ["HTTP/1.1 404\n\n", 404, ""],
  ])("reads the status line of %j", (text, status, reason) => {
    expect(readHead(ascii(text), "response")).toMatchObject({
      method: "",
      target: "",
      status,
      reason,
      isComplete: true,
    });
  });

  it("tells what there is of a head that was cut short", () => {
    const cut = readHead(ascii("GET /abc HTTP/1.1\r\nA: b\r\nC: d"), "request");
    expect(cut).toMatchObject({
      method: "GET",
      target: "/abc",
      headers: [["A", "b"]],
      headBytes: 29,
      isComplete: false,
    });
    expect(readHead(ascii("GET /ab"), "request")).toMatchObject({ method: "GET", target: "/ab", isComplete: false });
  });
});

describe("garbage", () => {
  it("never throws", () => {
    fc.assert(
      fc.property(octets, (bytes) => {
        looksLike(bytes, 0, bytes.length);
        parseHeaders(bytes, 0, bytes.length);
        findHeader(bytes, 0, bytes.length, "a");
        readHead(bytes, "request");
        readHead(bytes, "response");
        expect(dechunk(bytes).body.length).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});
