import { describe, expect, it } from "vitest";
import type { SamplingRule } from "../../src/core/profile/start.ts";
import { compileRules, sampleReasons } from "../../src/core/rules.ts";
import { UserError } from "../../src/errors.ts";

function rule(overrides: Partial<SamplingRule>): SamplingRule {
  return {
    uriRegex: null,
    slowMs: null,
    on4xx: false,
    on5xx: false,
    keep: "both",
    maxRequestBytes: 2048,
    maxResponseBytes: 2048,
    ...overrides,
  };
}

function matcher(...regexes: string[]): (path: string) => number {
  const rules = compileRules([...regexes.map((uriRegex) => rule({ uriRegex })), rule({})]);
  return (path) => rules.match(path);
}

describe("compileRules", () => {
  it.each([
    [[], "/anything", 0],
    [["^/api/"], "/api/x", 0],
    [["^/api/"], "/v1/api/x", 1],
    [["/api/"], "/v1/api/x", 0],
    [["^/api/users", "^/api/"], "/api/users/1", 0],
    [["^/api/", "^/api/users"], "/api/users/1", 0],
    [["^/a$", "^/b$"], "/c", 2],
    [["(?i)^/API/"], "/api/x", 0],
    [["^/users/\\d+$"], "/users/42", 0],
    [[""], "/x", 0],
  ])("%j finds %s at %d", (regexes, path, index) => {
    const match = matcher(...regexes);
    expect(match(path)).toBe(index);
    expect(match(path)).toBe(index); // remembered
  });

  it.each(["(", "a**", "[z-a]", "(?=x)", "\\1"])("refuses %s", (uriRegex) => {
    let error: unknown;
    try {
      compileRules([rule({ uriRegex }), rule({})]);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ code: "bad-regex", exitCode: 2, hint: expect.stringContaining("RE2") });
    expect((error as UserError).message).toContain(uriRegex);
    expect((error as UserError).message).not.toContain("\n");
  });

  it("takes linear time where a backtracking engine would need 2^100,000 steps", () => {
    expect(matcher("^/(a+)+$")(`/${"a".repeat(100_000)}!`)).toBe(1);
  });

  it("stays right when it has seen more URIs than it remembers", () => {
    const match = matcher("[02468]$");
    for (let i = 0; i < 5000; i++) expect(match(`/${i}`)).toBe(i % 2);
  });
});

describe("sampleReasons", () => {
  const all = rule({ slowMs: 100, on4xx: true, on5xx: true });
  it.each([
    [all, 200, 99_999_999, undefined],
    [all, 200, 100_000_000, ["slow"]],
    [all, 399, 0, undefined],
    [all, 400, 0, ["4xx"]],
    [all, 499, 0, ["4xx"]],
    [all, 500, 0, ["5xx"]],
    [all, 599, 0, ["5xx"]],
    [all, 600, 0, undefined],
    [all, 404, 1e9, ["slow", "4xx"]],
    [all, 503, 1e9, ["slow", "5xx"]],
    [rule({ slowMs: 100 }), 500, 0, undefined],
    [rule({ slowMs: 0 }), 200, 0, ["slow"]],
    [rule({ on4xx: true }), 500, 1e12, undefined],
    [rule({ on4xx: true }), 404, 1e12, ["4xx"]],
    [rule({ on5xx: true }), 404, 1e12, undefined],
    [rule({ slowMs: 1.5 }), 200, 1_500_000, ["slow"]],
  ])("%j, status %d, %d ns: %j", (given, status, durationNs, reasons) => {
    expect(sampleReasons(given, status, durationNs)).toEqual(reasons);
  });

  it("allocates nothing: the answer is the same array each time", () => {
    expect(sampleReasons(all, 404, 1e9)).toBe(sampleReasons(all, 404, 2e9));
  });
});
