/** Names of addresses, asked of a DNS server of our own. */
import { createSocket, type Socket } from "node:dgram";
import { afterEach, beforeEach, expect, it } from "vitest";
import { AddressNames } from "../src/address-names.ts";

let server: Socket;
let asked: string[];

/** Answers PTR questions (RFC 1035, 3.3.12) with `host-N.example`, and those for 10.9.9.9 not at all. */
beforeEach(async () => {
  asked = [];
  server = createSocket("udp4", (query, from) => {
    const labels: string[] = [];
    let at = 12;
    for (; query[at] !== 0; at += query[at]! + 1) labels.push(query.toString("latin1", at + 1, at + 1 + query[at]!));
    const address = labels.slice(0, 4).reverse().join(".");
    asked.push(address);
    if (address === "10.9.9.9") return;
    const name = [`host-${labels[0]}`, "example"].map((label) => String.fromCharCode(label.length) + label).join("");
    const data = Buffer.from(`${name}\0`, "latin1");
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(0x8180, 2);
    header.writeUInt16BE(1, 6);
    const answer = Buffer.from([0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 60, 0, data.length]);
    server.send(Buffer.concat([header, query.subarray(12, at + 5), answer, data]), from.port, from.address);
  });
  await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
});

afterEach(() => void server.close());

const names = (asksDns: boolean) => new AddressNames(asksDns, [`127.0.0.1:${server.address().port}`]);

async function until(probe: () => unknown): Promise<void> {
  while (!probe()) await new Promise((resolve) => setTimeout(resolve, 5));
}

it("asks once, waits for nothing, and knows the name when the answer has come", async () => {
  const its = names(true);
  expect(its.of("10.0.0.7")).toBeNull();
  expect(its.of("10.0.0.7")).toBeNull();
  await until(() => its.of("10.0.0.7"));
  expect(its.of("10.0.0.7")).toBe("host-7.example");
  expect(asked).toEqual(["10.0.0.7"]);
  its.close();
});

it("an address without an answer stays without a name and holds up no other", async () => {
  const its = names(true);
  its.of("10.9.9.9");
  its.of("10.0.0.8");
  await until(() => its.of("10.0.0.8"));
  expect(its.of("10.9.9.9")).toBeNull();
  its.close();
});

it("asks nobody unless told to", async () => {
  const its = names(false);
  expect(its.of("10.0.0.7")).toBeNull();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(asked).toEqual([]);
});
