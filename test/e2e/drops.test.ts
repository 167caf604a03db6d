/** Packets that the kernel drops, and why: as the counters of a packet filter have them. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startChild } from "../support/child.ts";
import { edgesOf, exactly, l7prof, startL7prof } from "../support/l7prof.ts";
import { connectNamespaces, createNamespace, runIn } from "../support/network.ts";
import { inRepo, temporaryDirectory } from "../support/paths.ts";

/** Responses on their way out of the server's socket, requests on their way in to it; not those without data. */
const FILTER = `
table ip test {
  counter sent {}
  counter received {}
  chain out { type filter hook output priority 0; tcp sport 8080 ip length > 100 numgen inc mod 7 0 counter name sent drop; }
  chain in { type filter hook input priority 0; tcp dport 8080 ip length > 100 numgen inc mod 11 0 counter name received drop; }
}`;

test("packets of a server's connection, going and coming", async () => {
  const [inside, outside] = [createNamespace(), createNamespace()];
  connectNamespaces({ namespace: inside, address: "10.79.0.1/24" }, { namespace: outside, address: "10.79.0.2/24" });
  const where = ["--host", "10.79.0.1", "--port", "8080"];
  const server = startChild(...inside.run("node", [inRepo("test/servers/http-server.js"), ...where]));
  await server.line(/^ready/);
  const [pid] = execFileSync("ip", ["netns", "pids", inside.name], { encoding: "utf8" }).split("\n");
  const client = startChild(...outside.run("node", [inRepo("test/servers/http-client.js"), "10.79.0.1"]));
  await client.line(/^ready/);
  const recording = join(temporaryDirectory(), "run.l7");
  const run = await startL7prof([...exactly, "--pid", pid!, "--tcp", "--record", recording]);
  await client.ask("8080 /hello 1", /^done/);
  runIn(inside, "nft", FILTER);
  await client.ask("8080 /size/1000 103", /^done/, 50_000);
  const counted = (name: string) =>
    Number(/packets (\d+)/.exec(runIn(inside, "nft", "list", "counter", "test", name))![1]);
  const [sent, received] = [counted("sent"), counted("received")];
  const { summary } = await run.finish();
  const [edge] = edgesOf(summary, "server");
  expect([sent > 10, received > 5]).toEqual([true, true]);
  expect(edge!.requests).toBe(104);
  expect(edge!.tcp!.drops!.NETFILTER_DROP).toBe(sent + received);
  const text = await l7prof(["replay", recording, "--tcp", "--plain", "--interval", "0"]);
  expect(text.stdout).toMatch(new RegExp(`^dropped .*[ ,]${sent + received} NETFILTER_DROP`, "m"));
});
