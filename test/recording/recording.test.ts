/** What was recorded is analysed as it was live; what is damaged is as much as can be read of it, and an error. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FLAG_WRITE, SIZES } from "../../src/core/record-layout.ts";
import { UserError } from "../../src/errors.ts";
import { ENTRY_END, ENTRY_LOST, ENTRY_NAME, ENTRY_RECORD, ENTRY_WARNING, MAGIC } from "../../src/recording/format.ts";
import { answer, get, request } from "../core/messages.ts";
import { type Live, lines, record, replay, replayFile, START, summaryOf } from "./session.ts";

function traffic({ wire, session }: Live): void {
  wire.process(1, 10, "server");
  const c = wire.connection({ inStart: 0xffff_fff0, outStart: 7 });
  c.read(get("/a")).write(answer(200, "body")).read(get("/b"), { pid: 12 }).write(answer(404));
  const unix = wire.connection({ unix: "/run/s" }).read(request("POST", "/up", "x".repeat(300)));
  session.onLost(2, 100);
  session.onWarning("tls-attach", "can't read OpenSSL in /x (process 10): EPERM");
  unix.write(answer(500, "e".repeat(500)), { head: 100, tail: 10 });
  wire.connection({ local: "[::1]:80", remote: "[::1]:99" }).opaque();
  c.readEnd().close();
  wire.process(3, 10);
}

const whole = record(traffic);
const headerEnd = 16 + whole.bytes.readUInt32LE(8);

/** The offsets at which an entry ends. */
function entryEnds(bytes: Buffer): number[] {
  const ends = [headerEnd];
  for (let at = headerEnd; at < bytes.length; ends.push(at)) at += 8 + ((bytes.readUInt32LE(at + 4) + 7) & ~7);
  return ends;
}

describe("a recording", () => {
  it("replayed gives what was shown live", async () => {
    const { output, error } = await replay(whole.bytes);
    expect(error).toBeUndefined();
    const ofReplay = lines(output).map((line) => (line.type === "start" ? { ...line, time: "", targets: [] } : line));
    const ofLive = lines(whole.output).map((line) =>
      line.type === "start" ? { ...line, time: "", targets: [] } : line,
    );
    const ended = (line: (typeof ofLive)[number]) => (line.type === "summary" ? { ...line, ended: "" } : line);
    expect(ofReplay.map(ended)).toEqual(ofLive.map(ended));
    expect(summaryOf(output)).toMatchObject({ ended: "end-of-file", windowMs: summaryOf(whole.output)?.windowMs });
  });

  it("knows a TLS library, also when the live run judged a batch of records later", async () => {
    const { bytes, output } = record(({ wire, session }) => {
      const open = wire.connection().opaque().cipher(9).cipher(9, FLAG_WRITE);
      wire.wait(1000);
      open.cipher(1).cipher(2);
      session.onTick(wire.timeNs);
      open.cipher(3);
    });
    const row = { library: "a library", connections: 1, bytes: 24 };
    expect(summaryOf(output).unreadableTls).toMatchObject([row]);
    expect(summaryOf((await replay(bytes)).output).unreadableTls).toMatchObject([row]);
  });

  it("has the warnings of what no record tells", async () => {
    const { output } = await replay(whole.bytes);
    expect(lines(output).filter(({ type }) => type === "warning")).toContainEqual(
      expect.objectContaining({ code: "tls-attach", message: "can't read OpenSSL in /x (process 10): EPERM" }),
    );
  });

  it("knows its times, targets and names", async () => {
    const { output } = await replay(whole.bytes);
    expect(lines(output)[0]).toMatchObject({
      type: "start",
      time: "2023-11-14T22:13:20.000000Z",
      targets: START.targets,
    });
    const names = (summaryOf(output).edges as { process: { comm: string } }[]).map(({ process }) => process.comm);
    expect(names.sort()).toEqual(["asked", "server", "server"]);
    expect(summaryOf(output).capture).toMatchObject({ lostEvents: 2, requests: 3, exchanges: 3 });
  });

  it("can be replayed with other rules and intervals than it was recorded with", async () => {
    const { bytes } = record(({ wire }) => {
      const c = wire.connection();
      for (const pause of [5, 25, 5]) {
        c.read(get("/"));
        wire.wait(pause);
        c.write(answer(200));
      }
    });
    const { output } = await replay(bytes, "--json --interval 10ms --slow 20ms");
    expect(lines(output).filter(({ type }) => type === "sample")).toMatchObject([
      { reasons: ["slow"], durationMs: 26 },
    ]);
    const windows = lines(output).filter(({ type }) => type === "metrics");
    const requests = windows.map(({ edges }) => (edges as { requests: number }[])[0]?.requests ?? 0);
    expect(windows.map(({ windowMs }) => windowMs)).toEqual([10, 10, 10, 10]);
    expect(requests).toEqual([1, 0, 0, 1]);
    expect(summaryOf(output).capture).toMatchObject({ exchanges: 3 });
  });

  it("of nothing is one, too", async () => {
    const { output, error } = await replay(record(() => undefined).bytes);
    expect([summaryOf(output).edges, error]).toEqual([[], undefined]);
  });

  it("larger than the reader's memory", async () => {
    const { bytes } = record(({ wire }) => {
      const c = wire.connection();
      for (let i = 0; i < 150; i++) c.read(get(`/${i}`)).write(answer(200, "x".repeat(60_000)));
    });
    expect(bytes.length).toBeGreaterThan(8 << 20);
    const { output, error } = await replay(bytes);
    expect(error).toBeUndefined();
    expect(summaryOf(output).capture).toMatchObject({ exchanges: 150, coverage: 1 });
  });

  it("stops at --count", async () => {
    const { output, error } = await replay(whole.bytes, "--json --interval 0 --count 2");
    expect(error).toBeUndefined();
    expect(summaryOf(output)).toMatchObject({ ended: "count", capture: { exchanges: 2 } });
  });

  it("stops at --duration", async () => {
    const { output, error } = await replay(whole.bytes, "--json --interval 0 --duration 3ms");
    expect(error).toBeUndefined();
    expect(summaryOf(output)).toMatchObject({ ended: "duration" });
  });
});

describe("cut off", () => {
  it("at any length: an error, and what was readable is analysed", { timeout: 180_000 }, async () => {
    const ends = entryEnds(whole.bytes);
    expect(ends.at(-1)).toBe(whole.bytes.length);
    let mostExchanges = 0;
    // Every length of the header and of the first entries, then one in seven.
    for (let length = 0; length < whole.bytes.length; length += length < headerEnd + 400 ? 1 : 7) {
      const { output, error } = await replay(whole.bytes.subarray(0, length));
      expect(error).toBeInstanceOf(UserError);
      const { code } = error as UserError;
      expect(code).toBe(length < headerEnd ? "not-a-recording" : "truncated-recording");
      if (length < headerEnd) expect(output).toBe("");
      else {
        const { exchanges, events } = summaryOf(output).capture as { exchanges: number; events: number };
        const isRecord = (start: number) => whole.bytes.readUInt32LE(start) === ENTRY_RECORD;
        expect(events).toBe(ends.filter((end, i) => i > 0 && end <= length && isRecord(ends[i - 1]!)).length);
        expect(exchanges).toBeGreaterThanOrEqual(mostExchanges);
        mostExchanges = exchanges;
      }
    }
    expect(mostExchanges).toBe(3);
  });
});

describe("damaged or foreign", () => {
  const header = (content: unknown) => {
    const json = Buffer.from(typeof content === "string" ? content : JSON.stringify(content));
    const bytes = Buffer.alloc(16 + ((json.length + 7) & ~7), " ");
    bytes.write(MAGIC, 0, "latin1");
    bytes.writeUInt32LE(bytes.length - 16, 8);
    bytes.writeUInt32LE(0, 12);
    json.copy(bytes, 16);
    return bytes;
  };
  const good = header({ l7prof: "0.1.0", ...START });
  const entry = (type: number, payload: Uint8Array, length = payload.length) => {
    const bytes = Buffer.alloc(8 + ((payload.length + 7) & ~7));
    bytes.writeUInt32LE(type, 0);
    bytes.writeUInt32LE(length, 4);
    bytes.set(payload, 8);
    return bytes;
  };

  it.each([
    ["empty", Buffer.alloc(0)],
    ["text", Buffer.from("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")],
    ["the magic alone", Buffer.from(MAGIC)],
    ["another version", Buffer.concat([Buffer.from("L7PROFR2"), good.subarray(8)])],
    ["a header longer than the file", Buffer.concat([Buffer.from(MAGIC), Buffer.from([0, 1, 0, 0, 0, 0, 0, 0])])],
    ["a header of 4 GiB", Buffer.concat([Buffer.from(MAGIC), Buffer.from([0xf8, 255, 255, 255, 0, 0, 0, 0]), good])],
    ["a header that is no JSON", header("{startNs: 1}")],
    ["a header that is null", header("null")],
    ["a header without times", header({ targets: [] })],
    ["times as text", header({ ...START, startNs: "0" })],
    ["times that no clock has", header({ ...START, startUs: 1e300 })],
    ["negative times", header({ ...START, startNs: -1 })],
    ["no targets", header({ startNs: 1, startUs: 1 })],
    ["targets that are none", header({ ...START, targets: [null] })],
    ["targets of another kind", header({ ...START, targets: [{ pid: "7" }] })],
  ])("%s is not a recording", async (_, bytes) => {
    const { output, error } = await replay(bytes);
    expect(error).toMatchObject({ name: "UserError", code: "not-a-recording" });
    expect(output).toBe("");
  });

  it("a file that is not there, or no file", async () => {
    for (const file of ["/nowhere/recording", "/"])
      expect((await replayFile(file)).error).toMatchObject({ name: "UserError", code: "cannot-read" });
  });

  const time = Buffer.alloc(SIZES.open_event);
  time.writeBigUInt64LE(BigInt(START.startNs), 0);
  const dataRecord = (head: number, tail: number) => {
    const bytes = Buffer.from(time.subarray(0, SIZES.data_event));
    bytes.writeUInt8(1, 20);
    bytes.writeUInt32LE(head, 28);
    bytes.writeUInt32LE(tail, 32);
    return bytes;
  };

  it.each([
    ["an entry longer than the file", entry(ENTRY_RECORD, dataRecord(0, 0), 1 << 20)],
    ["an entry of 4 GiB", entry(ENTRY_RECORD, dataRecord(0, 0), 0xffff_ffff)],
    ["a record longer than its entry", entry(ENTRY_RECORD, dataRecord(100, 0))],
    ["a record longer than any entry", entry(ENTRY_RECORD, dataRecord(0xffff_ffff, 0xffff_ffff))],
    ["a record shorter than its head", entry(ENTRY_RECORD, time.subarray(0, 8))],
    ["an open event that is cut", entry(ENTRY_RECORD, Buffer.from([...time.subarray(0, 20), 2, 0, 0, 0]))],
    ["an empty entry", entry(ENTRY_RECORD, Buffer.alloc(0))],
  ])("%s ends it there", async (_, bytes) => {
    const { output, error } = await replay(Buffer.concat([good, bytes, good]));
    expect(error).toMatchObject({ name: "UserError", code: "truncated-recording" });
    expect(summaryOf(output)).toMatchObject({ edges: [] });
  });

  it("entries that are not known are passed over", async () => {
    const ending = Buffer.alloc(8);
    ending.writeBigUInt64LE(BigInt(START.startNs + 7e6));
    const unknown = [
      entry(77, Buffer.from("new")),
      entry(ENTRY_LOST, Buffer.alloc(3)),
      entry(ENTRY_NAME, Buffer.alloc(1)),
      entry(ENTRY_WARNING, Buffer.from('12345678{"code":"lost-events","message":7}')),
      entry(ENTRY_WARNING, Buffer.from("12345678{")),
      entry(ENTRY_WARNING, Buffer.from("1234567")),
    ];
    const { output, error } = await replay(Buffer.concat([good, ...unknown, entry(ENTRY_END, ending)]));
    expect([error, summaryOf(output).windowMs]).toEqual([undefined, 7]);
    expect(lines(output).map(({ type }) => type)).toEqual(["start", "summary"]);
  });

  it("a time that lies centuries ahead is not counted up to", async () => {
    const late = Buffer.from(time);
    late.writeBigUInt64LE(2n ** 64n - 1n, 0);
    late.writeUInt8(4, 20);
    const { output, error } = await replay(Buffer.concat([good, entry(ENTRY_RECORD, late)]), "--json --interval 10ms");
    expect(error).toBeInstanceOf(UserError);
    expect(lines(output).length).toBeLessThan(10_000);
    expect(summaryOf(output).type).toBe("summary");
  });

  const bytes = (maxLength: number) => fc.uint8Array({ maxLength, size: "max" });
  const outcomes = ["not-a-recording", "truncated-recording", undefined];
  async function check(recording: Uint8Array): Promise<void> {
    for (const flags of ["--json --interval 0 --slow 0", "--plain --interval 1h"]) {
      const { output, error } = await replay(recording, flags);
      if (error !== undefined) expect(error).toBeInstanceOf(UserError);
      const code = (error as UserError | undefined)?.code;
      expect(outcomes).toContain(code);
      expect(output === "").toBe(code === "not-a-recording");
    }
  }

  it("any bytes: a summary or a UserError", async () => {
    await fc.assert(
      fc.asyncProperty(bytes(100), (garbage) => check(garbage)),
      { numRuns: 50 },
    );
  });

  it("any bytes after the header: likewise", async () => {
    const record = fc.tuple(fc.constantFrom(1, 2, 3, 4, 5, 9), bytes(300)).map(([kind, payload]) =>
      entry(
        ENTRY_RECORD,
        payload.map((byte, i) => (i === 20 ? kind : byte)),
      ),
    );
    const other = fc.tuple(fc.nat(5), bytes(40)).map(([type, payload]) => entry(type, payload));
    const content = fc.array(fc.oneof(record, other, bytes(20)), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(content, (parts) => check(Buffer.concat([good, ...parts]))),
      { numRuns: 80 },
    );
  });

  it("a recording with some of its bytes changed: likewise", async () => {
    const change = fc.tuple(fc.integer({ min: headerEnd, max: whole.bytes.length - 1 }), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), async (changes) => {
        const changed = Buffer.from(whole.bytes);
        for (const [at, byte] of changes) changed[at] = byte;
        await check(changed);
      }),
      { numRuns: 60 },
    );
  });
});
