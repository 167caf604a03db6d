/**
 * What the HTTP/1 parser costs per message, on heads of the size that browsers and services send.
 * Run: npx tsc -p . --noEmit false --outDir /tmp/l7prof-bench && node /tmp/l7prof-bench/bench/http1-parser.js
 */
import type { Head, MessageHandler } from "../src/core/http1/handler.ts";
import { MessageParser } from "../src/core/http1/parser.ts";
import { REQUEST_HEAD } from "./yardstick.ts";

// Rounds of a millisecond, of which the fastest counts: the machine may have other work.
const ROUNDS = 1000;
const MESSAGES = 2000;

const RESPONSE = [
  "HTTP/1.1 200 OK",
  "Server: nginx/1.26.3",
  "Date: Thu, 01 Jan 2026 00:00:00 GMT",
  "Content-Type: application/json",
  "Content-Length: 24",
  "Connection: keep-alive",
  "",
  '{"status":"ok","id":123}',
].join("\r\n");
const CHUNKED = [
  "HTTP/1.1 200 OK",
  "Content-Type: text/plain",
  "Transfer-Encoding: chunked",
  "",
  "400",
  "x".repeat(1024),
  "400",
  "y".repeat(1024),
  "0",
  "\r\n",
].join("\r\n");

/** Does with a message the least that an owner does. */
class CountingHandler implements MessageHandler {
  messages = 0;
  bytes = 0;
  onHead(head: Head) {
    this.bytes += head.targetEnd - head.targetStart;
    return "framed" as const;
  }
  onBody(_bytes: Uint8Array, start: number, end: number) {
    this.bytes += end - start;
  }
  onEnd(headerBytes: number) {
    this.messages++;
    this.bytes += headerBytes;
  }
  onLost() {
    throw new Error("lost");
  }
}

/** As in a run: somewhere in a ring buffer. */
function inRing(text: string, split: number) {
  const bytes = new TextEncoder().encode(text);
  const ring = new Uint8Array(256 * 1024);
  const start = 1001;
  ring.set(bytes, start);
  return { ring, start, middle: start + split, end: start + bytes.length };
}

function measure(name: string, kind: "request" | "response", text: string, split: number) {
  const { ring, start, middle, end } = inRing(text, split);
  const handler = new CountingHandler();
  const parser = new MessageParser(kind, handler, true);
  let bestNs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const startNs = process.hrtime.bigint();
    for (let i = 0; i < MESSAGES; i++) {
      if (split > 0) parser.feed(ring, start, middle, true);
      parser.feed(ring, middle, end, true);
    }
    bestNs = Math.min(bestNs, Number(process.hrtime.bigint() - startNs) / MESSAGES);
  }
  if (handler.messages !== ROUNDS * MESSAGES) throw new Error(`${handler.messages} messages`);
  console.log(`${name.padEnd(40)} ${end - start} bytes  ${bestNs.toFixed(0)} ns`);
}

/** The floor: a loop that only looks for line feeds. */
function measureFloor(text: string) {
  const bytes = new TextEncoder().encode(text);
  let lines = 0;
  let bestNs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const startNs = process.hrtime.bigint();
    for (let i = 0; i < MESSAGES; i++) for (let at = 0; at < bytes.length; at++) if (bytes[at] === 10) lines++;
    bestNs = Math.min(bestNs, Number(process.hrtime.bigint() - startNs) / MESSAGES);
  }
  if (lines === 0) throw new Error("no lines");
  console.log(`${"floor: line feeds of the request head".padEnd(40)} ${bytes.length} bytes  ${bestNs.toFixed(0)} ns`);
}

measureFloor(REQUEST_HEAD);
measure("request head, one feed", "request", REQUEST_HEAD, 0);
measure("response head and 24 bytes, one feed", "response", RESPONSE, 0);
measure("chunked response, one feed", "response", CHUNKED, 0);
measure("request head, in two feeds", "request", REQUEST_HEAD, 200);
