import { isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AF_INET, addressText, unixAddressText } from "../../src/core/address.ts";

const AF_INET6 = 10;

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

describe("IPv6 as RFC 5952 writes it", () => {
  it.each([
    ["0000 0000 0000 0000 0000 0000 0000 0000", "::"],
    ["0000 0000 0000 0000 0000 0000 0000 0001", "::1"],
    ["2001 0db8 0000 0000 0000 0000 0002 0001", "2001:db8::2:1"],
    ["2001 0db8 0000 0001 0001 0001 0001 0001", "2001:db8:0:1:1:1:1:1"],
    ["2001 0000 0000 0001 0000 0000 0000 0001", "2001:0:0:1::1"],
    ["2001 0db8 0000 0000 0001 0000 0000 0001", "2001:db8::1:0:0:1"],
    ["fe80 0000 0000 0000 0000 0000 0000 0000", "fe80::"],
    ["2001 0db8 aaaa bbbb cccc dddd eeee 0aAa", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaa"],
    ["0000 0000 0000 0000 0000 ffff 0a00 0001", "10.0.0.1"],
    ["0000 0000 0000 0000 0000 fffe 0a00 0001", "::fffe:a00:1"],
  ])("%s is %s", (hex, text) => {
    expect(addressText(AF_INET6, bytes(hex))).toBe(text);
  });

  it("is an address, and that very one", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (address) => {
        const text = addressText(AF_INET6, address);
        if (text.includes(".")) return;
        expect(isIPv6(text)).toBe(true);
        const [before = "", after] = text.split("::").map((part) => part.split(":").filter((group) => group !== ""));
        const zeros = after === undefined ? [] : Array<string>(8 - before.length - after.length).fill("0");
        const groups = [...before, ...zeros, ...(after ?? [])].map((group) => Number.parseInt(group, 16));
        expect(groups.flatMap((group) => [group >> 8, group & 255])).toEqual([...address]);
      }),
    );
  });
});

it("IPv4 lies in the first four bytes", () => {
  expect(addressText(AF_INET, bytes("7f000001 00000000 00000000 00000000"))).toBe("127.0.0.1");
});

it.each([
  ["/run/app.sock", "unix:/run/app.sock"],
  ["/run/app.sock\0\0", "unix:/run/app.sock"],
  ["\0abstract", "unix:@abstract"],
  ["", "unix:"],
])("the unix address %j is %s", (path, text) => {
  expect(unixAddressText(Buffer.from(path))).toBe(text);
});
