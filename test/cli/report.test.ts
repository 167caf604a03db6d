import { describe, expect, it } from "vitest";
import { report } from "../../src/cli/report.ts";
import { UserError } from "../../src/errors.ts";

function reported(error: unknown, isDebug = false): { code: number; text: string } {
  let text = "";
  const code = report(error, isDebug, (part) => {
    text += part;
  });
  return { code, text };
}

describe("report", () => {
  it("says what is wrong and how to fix it", () => {
    expect(reported(new UserError("x", "it broke", "mend it"))).toEqual({
      code: 1,
      text: "l7prof: it broke\n  fix: mend it\n",
    });
    expect(reported(new UserError("x", "a", "b", { exitCode: 2 })).code).toBe(2);
  });

  it("takes one line for each, whatever the message", () => {
    expect(reported(new UserError("x", "a\n  b\n", "c\nd")).text).toBe("l7prof: a b\n  fix: c d\n");
  });

  it.each([[new TypeError("oops")], ["oops"]])("calls anything else an internal error: %s", (error) => {
    const { code, text } = reported(error);
    expect(code).toBe(1);
    expect(text).toMatch(/^l7prof: internal error: oops\n {2}fix: .*--debug.*\n$/);
  });

  it("adds the stack and the causes with --debug, and only then", () => {
    const error = new UserError("x", "it broke", "mend it", { cause: new Error("EPERM") });
    expect(reported(error).text).not.toContain("    at ");
    expect(reported(error, true).text).toMatch(
      /fix: mend it\nUserError: it broke\n {4}at [\s\S]*caused by: Error: EPERM\n {4}at /,
    );
  });
});
