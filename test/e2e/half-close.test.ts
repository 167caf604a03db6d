import { expect, test } from "vitest";
import type { Summary } from "../../src/core/profile/window.ts";
import { edgesOf, exactly, l7prof, parseLines } from "../support/l7prof.ts";
import { inRepo } from "../support/paths.ts";

test("a client that reads the answer after both sides have ended: its exchanges count, on both sides", async () => {
  const script = inRepo("test/servers/half-close.py");
  const { code, stdout } = await l7prof(["--json", ...exactly, "--", "python3", script]);

  expect(code).toBe(0);
  const summary = parseLines(stdout.split("\n")).at(-1) as unknown as Summary;
  for (const side of ["server", "client"] as const) {
    expect(edgesOf(summary, side).map(({ requests, statuses }) => ({ requests, statuses }))).toEqual([
      { requests: 7, statuses: { "200": 7 } },
    ]);
  }
  expect(summary.capture).toMatchObject({ exchanges: 14, unansweredRequests: 0, orphanResponses: 0, coverage: 1 });
});
