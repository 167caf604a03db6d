import { expect, test } from "vitest";
import { runChild } from "../support/child.ts";
import { edgesOf, profile } from "../support/l7prof.ts";
import { startNginx } from "../support/nginx.ts";
import { tallyOf } from "../support/tally.ts";

const count = 50_021;

test("ab -k -c 16 at full speed: nothing lost, exact count", async () => {
  const nginx = await startNginx();
  const { summary, warnings } = await profile(["--pid", `${nginx.pid}`], async () => {
    const url = `http://127.0.0.1:${nginx.port}/hello`;
    const { stdout } = await runChild("ab", ["-q", "-k", "-c", "16", "-n", `${count}`, url]);
    expect(stdout).toMatch(new RegExp(`Complete requests: +${count}\n`));
    await nginx.accessLog(count);
  });
  const { lostEvents, coverage } = summary.capture;
  const { exchanges } = tallyOf(edgesOf(summary, "server"));
  expect({ exchanges, lostEvents, coverage, warnings }).toEqual({
    exchanges: { "GET /hello 200": count },
    lostEvents: 0,
    coverage: 1,
    warnings: [],
  });
});
