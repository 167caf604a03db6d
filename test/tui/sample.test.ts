/** A sample whole: its body for people, its time axis, and the command line that sends it again. */
import { execFile } from "node:child_process";
import { createServer, type IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Sample, SampledMessage, SampleEvent } from "../../src/core/profile/sample.ts";
import { readableBody } from "../../src/tui/body.ts";
import { curlCommand } from "../../src/tui/curl.ts";
import { timeAxis } from "../../src/tui/time-axis.ts";
import { readFixture } from "../output/fixture.ts";

const SAMPLE = readFixture("run").parts.find(({ sample }) => sample)!.sample!;
const PLAIN = { isRaw: false, showSecrets: false };

function message(body: Buffer | string, ...headers: [string, string][]): SampledMessage {
  const isText = typeof body === "string";
  return {
    ...SAMPLE.response,
    headers,
    body: isText ? body : body.toString("base64"),
    bodyEncoding: isText ? "utf8" : "base64",
  };
}

function withRequest(request: Partial<Sample["request"]>, over: Partial<Sample> = {}): Sample {
  return { ...SAMPLE, ...over, request: { ...SAMPLE.request, truncated: false, ...request } };
}

describe("a body", () => {
  const text = '{"name":"a\u001b[2J","password":"s3cret","list":[1,2,3]}\nsecond line';

  it.each([
    ["gzip", gzipSync],
    ["x-gzip", gzipSync],
    ["deflate", deflateSync],
    ["deflate", deflateRawSync],
    ["br", brotliCompressSync],
  ] as const)("%s is decoded, redacted, escaped", (coding, compress) => {
    const body = message(compress(text), ["Content-Encoding", coding], ["Content-Type", "application/json"]);
    const { lines, note } = readableBody(body, PLAIN);
    expect(note).toBe(`${coding}, decoded`);
    expect(lines.join("\n")).toContain('"password":"[redacted]"');
    expect(lines.join("\n")).toContain("\\x1b[2J");
    expect(lines.join("\n")).not.toContain("\u001b");
    expect(readableBody(body, { ...PLAIN, showSecrets: true }).lines.join("\n")).toContain("s3cret");
  });

  it("that was cut off shows what there is of it", () => {
    const long = Array.from({ length: 3000 }, (_, index) => `line ${(index * 7919) % 10_007}`).join("\n");
    for (const [coding, compress] of [
      ["gzip", gzipSync],
      ["br", brotliCompressSync],
    ] as const) {
      const whole = compress(long);
      const { lines } = readableBody(message(whole.subarray(0, whole.length / 2), ["content-encoding", coding]), PLAIN);
      expect(lines.slice(0, 100)).toEqual(long.split("\n").slice(0, 100));
      expect(lines.length).toBeLessThan(3000);
    }
  });

  it("in two codings is decoded twice, the last first", () => {
    const body = message(brotliCompressSync(gzipSync("twice")), ["content-encoding", "gzip, br"]);
    expect(readableBody(body, PLAIN)).toEqual({ lines: ["twice"], note: "gzip, br, decoded" });
  });

  it("that is not what it says, of an unknown coding, or unpacks without end: its bytes", () => {
    const dump = (bytes: Buffer, coding: string) => readableBody(message(bytes, ["content-encoding", coding]), PLAIN);
    expect(dump(Buffer.from([0xff, 1, 2]), "gzip").note).toBe("gzip, can't be decoded: its bytes");
    expect(dump(Buffer.from([0xff, 1, 2]), "zstd").note).toBe("zstd, can't be decoded: its bytes");
    const bomb = gzipSync(Buffer.alloc(64 << 20));
    expect(dump(bomb, "gzip").note).toBe("gzip, unpacks to more than 1 MiB: its bytes");
    expect(readableBody(message(Buffer.from([0xff, 0xd8, 0xff])), PLAIN).lines[0]).toMatch(/^00000000 {2}ff d8 ff/);
  });

  it("as bytes, text too", () => {
    expect(readableBody(message("ab"), { ...PLAIN, isRaw: true }).lines[0]).toMatch(/^00000000 {2}61 62 .*\|ab\|$/);
  });

  it("of any bytes and any coding never throws", () => {
    const coding = fc.constantFrom("gzip", "deflate", "br", "identity", "gzip, br", "");
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), coding, fc.boolean(), (bytes, coding, isRaw) => {
        const { lines } = readableBody(message(Buffer.from(bytes), ["content-encoding", coding]), { ...PLAIN, isRaw });
        expect(lines.join("")).not.toMatch(/\p{C}/u);
      }),
    );
  });
});

describe("the time axis", () => {
  const [asked, answered] = SAMPLE.events;
  const at = (us: number) => ({ seconds: 1, nanos: us * 1000 });
  const between = (event: SampleEvent, startUs: number, endUs: number) => {
    return { ...event, start: at(startUs), end: at(endUs) };
  };
  const call = (name: string, us: number, bytes: number): SampleEvent => {
    return { name, start: at(us), end: at(us), tags: {}, summary: { data_size: bytes } };
  };

  it("shows the request, the wait, the response and the socket calls, each where it was", () => {
    const events = [
      between(asked!, 100_000, 200_000),
      between(answered!, 700_000, 900_000),
      call("Syscall Read", 200_000, 310),
      call("Syscall Writev", 900_000, 99),
    ];
    const lines = timeAxis({ ...SAMPLE, events }, 88);
    expect(lines.map((line) => line.slice(0, 52))).toEqual([
      "request     ▒▒▒▒▒                                   ",
      "waiting          ·························          ",
      "response                                  ██████████",
      "· read           │                                  ",
      "· writev                                           │",
    ]);
    expect(lines[1]).toContain("100ms –  600ms  500ms");
    expect(lines[4]).toMatch(/ 800ms {11}99B$/);
  });

  it("without events there is none; an early response has no wait; of many calls the first", () => {
    expect(timeAxis({ ...SAMPLE, events: [] }, 80)).toEqual([]);
    const early = [between(asked!, 0, 100), between(answered!, 50, 90)];
    expect(timeAxis({ ...SAMPLE, events: early }, 80).length).toBe(2);
    const calls = Array.from({ length: 50 }, (_, index) => call("Syscall Read", index, 1));
    expect(timeAxis({ ...SAMPLE, events: [...early, ...calls] }, 80).at(-1)).toBe("… and 30 more socket calls");
  });
});

describe("the curl command", () => {
  it("says what was asked, without what curl says itself", () => {
    const headers: [string, string][] = [
      ["Host", "shop:8080"],
      ["Content-Length", "9"],
      ["Keep-Alive", "timeout=5"],
      ["X-A", "it's"],
      ["Empty", ""],
    ];
    const sample = withRequest({ method: "PUT", uri: "/a?b=[1]", headers, body: '{"a": 1}\n', bodyEncoding: "utf8" });
    expect(curlCommand({ ...sample, protocol: "http" })).toBe(
      `curl -i -g -X PUT 'http://shop:8080/a?b=[1]' -H 'X-A: it'\\''s' -H 'Empty;' --data-raw $'{"a": 1}\\x0a'`,
    );
  });

  it("sends in bash just that, whatever it was", async () => {
    const seen: { url: string; method: string; header: string; body: string }[] = [];
    const server = createServer((request, response) => {
      void textOf(request).then((body) => {
        seen.push({ url: request.url!, method: request.method!, header: String(request.headers["x-a"]), body });
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const bodies = [
      "plain",
      "it's $(touch /tmp/x) `id` \\ \" !",
      "@/etc/passwd",
      "a\u001b[2J\u202eb\ttab\r\n",
      "日本 é",
    ];
    for (const body of bodies) {
      const headers: [string, string][] = [
        ["Host", `127.0.0.1:${port}`],
        ["X-A", "$HOME 'q' \\n"],
        ["@/etc/passwd", "x"],
      ];
      const sample = withRequest({ method: "POST", uri: "/a?b={1,2}&c='$(id)'", headers, body, bodyEncoding: "utf8" });
      await bash(curlCommand({ ...sample, protocol: "http" }));
      expect(seen.at(-1)).toEqual({ url: "/a?b={1,2}&c='$(id)'", method: "POST", header: "$HOME 'q' \\n", body });
    }
    server.close();
  });

  it("is one line that a terminal can only print", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (uri, body) => {
        const sample = withRequest({ uri, body, bodyEncoding: "utf8", headers: [["A", body]] });
        expect(curlCommand(sample)).not.toMatch(/\p{C}/u);
      }),
    );
  });
});

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Not synchronous: the server is in this process. */
async function bash(command: string): Promise<void> {
  await promisify(execFile)("bash", ["-c", command.replace(/^curl /, "curl -sS ")]);
}
