/** A request as a URL: whatever came over the wire, one that URL readers take. */
import { describe, expect, it } from "vitest";
import { urlOf } from "../../src/output/origin.ts";
import { answer } from "../core/messages.ts";
import { startProfiling } from "../core/profiling.ts";

function urlOfRequest(target: string, host: string): string {
  const { wire, samples } = startProfiling();
  wire
    .connection({ local: "10.0.0.1:8080" })
    .read(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    .write(answer(200, ""));
  return urlOf(samples[0]!);
}

describe("the URL of a request", () => {
  it.each([
    ["/a?b=1", "shop", "http://shop/a?b=1"],
    ["/a", "[::1]:80", "http://[::1]:80/a"],
    ["*", "shop", "http://shop/*"],
    ["http://other/a", "shop", "http://other/a"],
  ])("%s of %s", (target, host, url) => {
    expect(urlOfRequest(target, host)).toBe(url);
  });

  it.each(["[", "shop:99999", "999.1.1.1", "a b", "shop/x?", ""])("Host %j is none: the server's address", (host) => {
    expect(urlOfRequest("/a", host)).toBe("http://10.0.0.1:8080/a");
  });

  it.each(["http://[/a", "http://", "file:///etc/passwd"])("%s is no URL to follow: a path", (target) => {
    const url = urlOfRequest(target, "shop");
    expect(url).toBe(`http://shop/${target}`);
    expect(URL.canParse(url)).toBe(true);
  });
});
