/** Connections that one end resets, often while the other is in a call, or has one still to make. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Summary } from "../../src/core/profile/window.ts";
import { tallyOfAccessLog } from "../support/access-log.ts";
import { type Certificate, createCertificate } from "../support/certificate.ts";
import { runChild } from "../support/child.ts";
import { edgesOf, exactly, l7prof, nothingMissed, parseLines, profile } from "../support/l7prof.ts";
import { startNginx } from "../support/nginx.ts";
import { inRepo, temporaryDirectory } from "../support/paths.ts";
import { type Server, startNodeServer, startServer } from "../support/servers.ts";
import { tallyOf } from "../support/tally.ts";

describe.each(["HTTP", "HTTPS"])("the client resets the connection, %s", (protocol) => {
  const isSecure = protocol === "HTTPS";

  async function profileResets(count: number, ...how: string[]) {
    // 1.3 has the server write once more before it reads the request, which fails after the reset.
    const tls = { certificate: createCertificate(), protocols: "TLSv1.2" };
    const nginx = await startNginx(isSecure ? { tls } : {});
    const args = [inRepo("test/servers/resetting-client.py"), `${nginx.port}`, `${count}`, ...how];
    const { summary } = await profile(["--pid", `${nginx.pid}`], async () => {
      const { code } = await runChild("python3", isSecure ? [...args, "tls"] : args);
      expect(code).toBe(0);
      await nginx.accessLog(count);
    });
    return { summary, log: await nginx.accessLog(count) };
  }

  test("when it has its answer, often before the server's call has returned", async () => {
    const count = isSecure ? 1009 : 5003;
    const { summary, log } = await profileResets(count);
    expect(tallyOf(edgesOf(summary, "server"))).toEqual(tallyOfAccessLog(log));
    expect(summary.capture).toMatchObject(nothingMissed);
    expect(endsOf(summary)).toEqual({ resets: count, closes: count, openConnections: 0 });
  });

  test("soon, often before the server has read the request: what it could send is answered, and the rest is not", async () => {
    const { summary, log } = await profileResets(2003, "soon");
    const answered = log.split("\n").filter((line) => line !== "" && !line.endsWith("\t0"));
    const count = answered.length;
    expect(tallyOf(edgesOf(summary, "server"))).toEqual(tallyOfAccessLog(answered.join("\n")));
    expect(summary.capture).toMatchObject({ ...nothingMissed, unansweredRequests: 2003 - count });
    expect(endsOf(summary)).toEqual({ resets: count, closes: count, openConnections: 0 });
  });
});

/** How its clients' connections ended, over all edges: a server of several workers has as many. */
function endsOf(summary: Summary) {
  const ends = { resets: 0, closes: 0, openConnections: 0 };
  for (const { tcp } of edgesOf(summary, "server"))
    for (const end of ["resets", "closes", "openConnections"] as const) ends[end] += tcp?.[end] ?? 0;
  return ends;
}

const onMemory: readonly [name: string, start: (certificate: Certificate) => Promise<Server>][] = [
  ["Node", ({ key, cert }) => startNodeServer(["--key", key, "--cert", cert])],
  [
    "Python's asyncio",
    ({ key, cert }) => startServer("python3", [inRepo("test/servers/https-server.py"), key, cert, "asyncio"]),
  ],
];

test.each(onMemory)("%s, whose TLS library works on memory: what it has served, by its own count", async (_, start) => {
  const server = await start(createCertificate());
  const { summary } = await profile(["--pid", `${server.pid}`], async () => {
    const args = [inRepo("test/servers/resetting-client.py"), `${server.port}`, "1009", "soon", "tls"];
    expect((await runChild("python3", args)).code).toBe(0);
    await server.counters();
  });
  const served = Object.values((await server.counters()).exchanges).reduce((sum, count) => sum + count, 0);
  expect(served).toBeGreaterThan(0);
  const edges = edgesOf(summary, "server");
  const answered = tallyOf(edges).exchanges["GET /hello 200"]!;
  expect(summary.capture).toMatchObject({ ...nothingMissed, unansweredRequests: served - answered });
  expect(endsOf(summary)).toEqual({ resets: answered, closes: answered, openConnections: 0 });
  expect(edges).toMatchObject([{ peer: { address: "127.0.0.1", comm: "python3" } }]);
});

const nodeClient = `const get = (port) => new Promise((resolve, reject) => require("https").get(
  { port, host: "127.0.0.1", path: "/hello", rejectUnauthorized: false, agent: false },
  (response) => response.resume().on("end", resolve)).on("error", reject));
(async ([port, count]) => { while (count-- > 0) await get(port); })(process.argv.slice(1));`;

test.each([
  ["urllib", (port: number) => ["python3", inRepo("test/servers/https-client.py"), `${port}`, "urllib", "503"]],
  ["Node", (port: number) => ["node", "-e", nodeClient, `${port}`, "503"]],
])(
  "the server resets the connection when it has answered, %s: each answer counts that was read",
  async (_, command) => {
    const { key, cert } = createCertificate();
    const server = await startServer("python3", [inRepo("test/servers/resetting-server.py"), key, cert]);
    const file = join(temporaryDirectory(), "profile.ndjson");
    const { code, stderr } = await l7prof([...exactly, "--json", "-o", file, "--", ...command(server.port)]);
    expect(code, stderr).toBe(0);
    const summary = parseLines(readFileSync(file, "utf8").split("\n")).at(-1) as unknown as Summary;
    expect(summary.capture).toMatchObject(nothingMissed);
    expect(tallyOf(summary.edges).exchanges).toEqual({ "GET /hello 200": 503 });
    expect(summary.edges).toMatchObject([{ side: "client", tcp: { connects: 503, closes: 503, openConnections: 0 } }]);
  },
);
