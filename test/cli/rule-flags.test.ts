import { describe, expect, it } from "vitest";
import { config } from "./terminal.ts";

/** `regex: slow 4xx 5xx keep request response` */
function rulesOf(line: string): string[] {
  return config(`--all ${line}`).rules.map((rule) => {
    const conditions = [
      rule.slowMs === null ? "" : `${rule.slowMs}ms`,
      rule.on4xx ? "4xx" : "",
      rule.on5xx ? "5xx" : "",
    ];
    const shown = conditions.filter((c) => c !== "").join(" ");
    return `${rule.uriRegex ?? "default"}: ${shown}, ${rule.keep} ${rule.maxRequestBytes} ${rule.maxResponseBytes}`;
  });
}

const ALL = "1000ms 4xx 5xx, both 2048 2048";

describe("the order of the rule flags", () => {
  it.each([
    ["", [`default: ${ALL}`]],
    ["--slow 250ms", ["default: 250ms, both 2048 2048"]],
    ["--slow 0", ["default: 0ms, both 2048 2048"]],
    ["--slow 1 --slow=2", ["default: 2ms, both 2048 2048"]],
    ["--4xx", ["default: 4xx, both 2048 2048"]],
    ["--5xx --keep none", ["default: 5xx, none 2048 2048"]],
    ["--keep request --max-request-size 4k", ["default: 1000ms 4xx 5xx, request 4096 2048"]],
    ["--uri-regex a", [`a: ${ALL}`, `default: ${ALL}`]],
    ["--uri-regex=a --slow=5", ["a: 5ms, both 2048 2048", `default: ${ALL}`]],
    ["--slow 5 --uri-regex a", [`a: ${ALL}`, "default: 5ms, both 2048 2048"]],
    [
      "--5xx --uri-regex ^/a --slow 100ms --4xx --uri-regex ^/b --keep response --max-response-size 1KiB",
      ["^/a: 100ms 4xx, both 2048 2048", "^/b: 1000ms 4xx 5xx, response 2048 1024", "default: 5xx, both 2048 2048"],
    ],
    ["--uri-regex a --uri-regex a --4xx", [`a: ${ALL}`, "a: 4xx, both 2048 2048", `default: ${ALL}`]],
    ["--uri-regex -x", [`-x: ${ALL}`, `default: ${ALL}`]],
    ["--uri-regex ''", [`: ${ALL}`, `default: ${ALL}`]],
    ["--uri-regex a --json --slow 5 -o f --5xx", ["a: 5ms 5xx, both 2048 2048", `default: ${ALL}`]],
    ["--uri-regex a -- cmd --slow 5 --uri-regex b", [`a: ${ALL}`, `default: ${ALL}`]],
  ])("%s", (line, rules) => {
    expect(rulesOf(line)).toEqual(rules);
  });

  it("holds across a command's name", () => {
    const { rules } = config("--slow 1 --uri-regex a replay f --slow 2");
    expect(rules.map((rule) => [rule.uriRegex, rule.slowMs])).toEqual([["a", 2], [null, 1]]); // biome-ignore format: one line
  });
});
