/** What the script gives to curl is what the client sent, whatever bytes it is made of: bash itself says so. */
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import type { Sample } from "../../src/core/profile/sample.ts";
import { curlCommand } from "../../src/export/curl.ts";
import { answer, request } from "../core/messages.ts";
import { startProfiling } from "../core/profiling.ts";

function sampleOf(text: string | Uint8Array): Sample {
  const { wire, samples } = startProfiling();
  const c = wire.connection({ local: "10.0.0.1:8080" });
  c.read(text).write(answer(200, ""));
  return samples[0]!;
}

/** The words that curl would be given, and its standard input, as bash reads the command. */
function given(sample: Sample): { words: string[]; stdin: string } {
  const script = Buffer.concat([
    Buffer.from("send() { printf '%s\\0' \"$@\"; [ -t 0 ] || { printf 'stdin\\0'; base64 -w0; }; }\n"),
    curlCommand(sample)!,
  ]);
  const out = execFileSync("bash", ["-c", `bash <(printf %s '${script.toString("base64")}' | base64 -d)`], {
    input: "",
  });
  const words = out.toString("latin1").split("\0");
  const stdin = words.at(-1)!;
  return { words: words.slice(0, -2), stdin: Buffer.from(stdin, "base64").toString("latin1") };
}

const options = (words: readonly string[], name: string) =>
  words.flatMap((word, i) => (words[i - 1] === name ? [word] : []));

describe("a request as a command", () => {
  it("quotes, dollars and backquotes are what they are", () => {
    const nasty = `'"$HOME\`id\`\\!*;&|<>`;
    const { words } = given(sampleOf(request("POST", `/a?${nasty}`, nasty, `X-Nasty: ${nasty}`)));
    expect(words[0]).toBe("http://10.0.0.1:8080");
    expect(options(words, "--request-target")).toEqual([`/a?${nasty}`]);
    expect(options(words, "--header")).toContain(`X-Nasty: ${nasty}`);
    expect(options(words, "--data-raw")).toEqual([nasty]);
  });

  it("bytes that are no ASCII, and those that are no text", () => {
    const text = `POST /caf\xe9 HTTP/1.1\r\nHost: a\r\nX: \xe9\r\nContent-Length: 4\r\n\r\n\x00\xff\n\n`;
    const { words, stdin } = given(sampleOf(Buffer.from(text, "latin1")));
    expect(options(words, "--request-target")).toEqual(["/caf\xe9"]);
    expect(options(words, "--header")).toContain("X: \xe9");
    expect([options(words, "--data-binary"), stdin]).toEqual([["@-"], "\x00\xff\n\n"]);
  });

  it("a header that would be an option or a file to curl is left out, an empty one is sent", () => {
    const { words } = given(
      sampleOf("GET / HTTP/1.1\r\nHost: a\r\n@/etc/passwd: x\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n"),
    );
    expect(options(words, "--header")).toEqual([
      "Host: a",
      "X-Empty;",
      "user-agent:",
      "accept:",
      "content-type:",
      "expect:",
    ]);
  });

  it("a body that begins with @ is no file", () => {
    const { words } = given(sampleOf(request("POST", "/", "@/etc/passwd")));
    expect(options(words, "--data-raw")).toEqual(["@/etc/passwd"]);
  });

  it("one that was not kept whole stands there as a comment", () => {
    const sample = sampleOf(request("POST", "/", "x".repeat(5000)));
    const lines = curlCommand(sample)!.toString().trim().split("\n");
    expect(lines.every((line) => line.startsWith("#"))).toBe(true);
    expect(lines[1]).toBe(
      "# not sent: only the beginning of its 5082 bytes was kept".replace("5082", String(sample.request.bytes)),
    );
  });

  it("a comment is ASCII", () => {
    const sample = sampleOf(Buffer.from("GET /\xe9\xff HTTP/1.1\r\nHost: a\r\n\r\n", "latin1"));
    expect(curlCommand(sample)?.toString().split("\n")[1]).toMatch(/^# [ -~]* GET \/\?\?$/);
  });
});
