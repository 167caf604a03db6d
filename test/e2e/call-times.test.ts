/** When the calls of a message began: one that blocks shows as such. */
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Sample } from "../../src/core/profile/sample.ts";
import { createCertificate } from "../support/certificate.ts";
import { type Child, runChild, startChild } from "../support/child.ts";
import { edgesOf, exactly, startL7prof } from "../support/l7prof.ts";
import { startNginx } from "../support/nginx.ts";
import { inRepo } from "../support/paths.ts";
import { getRequest } from "../support/raw-client.ts";
import { until } from "../support/until.ts";

/** More than the buffers of two sockets hold. */
const BODY_BYTES = 16_000_057;
const PAUSE_MS = 150;

interface Event {
  readonly name: string;
  readonly start: string;
  readonly end: string;
  readonly summary: Readonly<Record<string, number>>;
}

function eventsOf(sample: Sample): readonly Event[] {
  return sample.events as unknown as Event[];
}

/** Nanoseconds; the NDJSON has microseconds. */
function lengthOf({ start, end }: Event): number {
  const us = (time: string) => Date.parse(`${time.slice(0, 19)}Z`) * 1000 + Number(time.slice(20, 26));
  return (us(end) - us(start)) * 1000;
}

/** Asks once, lets the answer wait for a while, and then reads it. Answers what the server says of its one call. */
async function askAndPause(server: Child, port: number, round: number) {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.write(getRequest(`/${round}`));
  await once(socket, "readable");
  const pausedNs = process.hrtime.bigint();
  await sleep(PAUSE_MS);
  const waitedNs = Number(process.hrtime.bigint() - pausedNs);
  let end = "";
  for await (const data of socket) {
    end = (end + data.toString("latin1", Math.max(0, data.length - 7))).slice(-7);
    if (end === "\r\n0\r\n\r\n") break; // which closes it
  }
  const numbers = (word: string) =>
    server.stdoutLines.filter((line) => line.startsWith(word)).map((line) => Number(line.split(" ")[1]));
  await until("the server has told", () => numbers("sent").length > round);
  return { waitedNs, tookNs: numbers("took")[round]!, sent: numbers("sent")[round]! };
}

describe.each([
  ["one call in many records", []],
  ["one call of which only the beginning is copied", ["--max-response-size", "100"]],
])("%s", (_name, options) => {
  test("is one event, from when it began to when it returned", async () => {
    const server = startChild("python3", [inRepo("test/servers/blocking-server.py"), `${BODY_BYTES}`]);
    const [, port] = await server.line(/^ready (\d+)$/);
    const run = await startL7prof([...exactly, "--pid", `${server.pid}`, "--slow", "0", "--call-times", ...options]);
    const told = [];
    for (let round = 0; round < 3; round++) told.push(await askAndPause(server, Number(port), round));
    const { samples, summary } = await run.finish();
    expect(samples).toHaveLength(3);
    for (const [i, { waitedNs, tookNs, sent }] of told.entries()) {
      const events = eventsOf(samples[i]!);
      const writes = events.filter(({ name }) => name === "Syscall Sendto");
      expect(writes.map(({ summary }) => summary.data_size)).toEqual([sent]);
      const writeNs = lengthOf(writes[0]!);
      expect(writeNs).toBeGreaterThanOrEqual(waitedNs - 1000);
      expect(writeNs).toBeLessThanOrEqual(tookNs + 1000);
      const response = events.find(({ name }) => name === "HTTP Response Sampling")!;
      expect(response.summary.call_count).toBe(1);
      expect(Math.abs(response.summary.longest_call_ns! - writeNs)).toBeLessThanOrEqual(1000);
    }
    const [edge] = edgesOf(summary, "server");
    expect([edge!.tcp!.readMs!.count, edge!.tcp!.writeMs!.count]).toEqual([3, 3]);
    const longest = Math.max(...told.map(({ tookNs }) => tookNs));
    expect(edge!.tcp!.writeMs!.max * 1e6).toBeLessThanOrEqual(longest + 1000);
    expect(edge!.tcp!.writeMs!.min).toBeGreaterThanOrEqual(PAUSE_MS - 2);
  });
});

test("calls of a TLS library are timed as those of sockets are, each", async () => {
  const server = await startNginx({ tls: { certificate: createCertificate(), protocols: "TLSv1.3" } });
  const run = await startL7prof([...exactly, "--pid", `${server.pid}`, "--call-times"]);
  const url = `https://127.0.0.1:${server.port}/hello`;
  await runChild("curl", ["-sk", "-o", "/dev/null", ...Array<string>(11).fill(url)]);
  const { summary } = await run.finish();
  const [edge] = edgesOf(summary, "server");
  const { readCalls, writeCalls, readMs, writeMs } = edge!.tcp!;
  expect([edge!.protocol, edge!.requests, readCalls]).toEqual(["https", 11, 11]);
  expect([readMs!.count, writeMs!.count]).toEqual([readCalls, writeCalls]);
});

test("without it a call is seen when it returns", async () => {
  const server = startChild("python3", [inRepo("test/servers/blocking-server.py"), "1000"]);
  const [, port] = await server.line(/^ready (\d+)$/);
  const run = await startL7prof([...exactly, "--pid", `${server.pid}`, "--slow", "0"]);
  await askAndPause(server, Number(port), 0);
  const { samples, summary } = await run.finish();
  for (const event of eventsOf(samples[0]!).slice(2)) expect(event.start).toBe(event.end);
  expect(edgesOf(summary, "server")[0]!.tcp).not.toHaveProperty("writeMs");
});
