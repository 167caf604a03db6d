/** Clients that do not wait for what HTTP would have them wait for. What nginx logged is what must be counted. */
import { expect, test } from "vitest";
import { tallyOfAccessLog } from "../support/access-log.ts";
import { runChild } from "../support/child.ts";
import { edgesOf, profile } from "../support/l7prof.ts";
import { startNginx } from "../support/nginx.ts";
import { inRepo } from "../support/paths.ts";
import { tallyOf } from "../support/tally.ts";

const nothingMissed = { lostEvents: 0, unansweredRequests: 0, orphanResponses: 0, unparsedMessages: 0, coverage: 1 };

test("the client resets the connection when it has its answer, often before the server's call has returned", async () => {
  const nginx = await startNginx();
  const { summary } = await profile(["--pid", `${nginx.pid}`], async () => {
    const { code } = await runChild("python3", [inRepo("test/servers/resetting-client.py"), `${nginx.port}`, "5003"]);
    expect(code).toBe(0);
    await nginx.accessLog(5003);
  });
  const edges = edgesOf(summary, "server");
  expect(tallyOf(edges)).toEqual(tallyOfAccessLog(await nginx.accessLog(5003)));
  expect(summary.capture).toMatchObject(nothingMissed);
  expect(edges.reduce((sum, { tcp }) => sum + (tcp?.resets ?? 0), 0)).toBe(5003);
});
