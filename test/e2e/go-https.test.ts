/** Go's crypto/tls, as server and as client, against the counts of the Go programs themselves, ab and nginx's log. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Summary } from "../../src/core/profile/window.ts";
import { tallyOfAccessLog } from "../support/access-log.ts";
import { createCertificate } from "../support/certificate.ts";
import { runChild } from "../support/child.ts";
import { buildGo, type GoBuild, goBuilds } from "../support/go.ts";
import { expectHttps } from "../support/https.ts";
import { edgesOf, exactly, l7prof, profile } from "../support/l7prof.ts";
import { startNginx } from "../support/nginx.ts";
import { temporaryDirectory } from "../support/paths.ts";
import { startServer } from "../support/servers.ts";
import { type Tally, tallyOf, totalOf } from "../support/tally.ts";

const BUILD_MS = 300_000;

async function startGo(build: GoBuild, how: string, ...more: string[]) {
  const { key, cert } = createCertificate();
  return startServer(await buildGo(build), [how, key, cert, ...more]);
}

/** GETs when it is told to, and then tells what went over its connections. */
async function startGoClient(port: number, path: string, count: number, connections: number, how = "") {
  const args = ["client", `${port}`, path, `${count}`, `${connections}`, how];
  const client = await startServer(await buildGo("stripped"), args);
  const get = async () => JSON.parse((await client.ask("go", /^\{.*/, 60_000))[0]) as Tally;
  return { ...client, get };
}

const builds = Object.keys(goBuilds) as GoBuild[];

describe.each(builds)("%s", (build) => {
  test(
    "a server, by its own count: keep-alive, a connection for each, large, chunked, uploads",
    async () => {
      const server = await startGo(build, "counted");
      const url = `https://127.0.0.1:${server.port}`;
      const { summary } = await profile(["--pid", `${server.pid}`], async () => {
        await runChild("ab", ["-q", "-k", "-c", "7", "-n", "2003", `${url}/hello`]);
        await runChild("ab", ["-q", "-c", "7", "-n", "211", `${url}/status/404`]);
        await runChild("curl", [
          "-sk",
          "-o",
          "/dev/null",
          `${url}/size/3000017`,
          "-o",
          "/dev/null",
          `${url}/chunked/19`,
        ]);
        await runChild("curl", ["-sk", "--data-binary", "@/proc/self/exe", `${url}/upload`]);
        await (await startGoClient(server.port, "/hello", 503, 11)).get();
        await (await startGoClient(server.port, "/hello", 101, 5, "fresh")).get();
      });
      expectHttps(summary);
      const counted = await server.counters();
      expect(totalOf(counted)).toBe(2003 + 211 + 3 + 503 + 101);
      expect(tallyOf(edgesOf(summary, "server"))).toEqual(counted);
    },
    BUILD_MS,
  );

  test(
    "a server and a client that are open already: from the next message on, nothing is missed",
    async () => {
      const server = await startGo(build, "server");
      const client = await startGoClient(server.port, "/hello", 101, 7);
      const before = await client.get();
      const { summary } = await profile(["--pid", `${server.pid}`, "--pid", `${client.pid}`], async () => {
        await client.get();
      });
      expectHttps(summary);
      const after = await client.get(); // a third round, which tells what one of them is
      const bytes = {
        requestBytes: (after.requestBytes - before.requestBytes) / 2,
        responseBytes: (after.responseBytes - before.responseBytes) / 2,
      };
      const expected = { exchanges: { "GET /hello 200": 101 }, ...bytes };
      expect(tallyOf(edgesOf(summary, "server"))).toEqual(expected);
      expect(tallyOf(edgesOf(summary, "client"))).toEqual(expected);
    },
    BUILD_MS,
  );

  test(
    "a buffer on a stack that is moved during the call",
    async () => {
      const server = await startGo(build, "stack");
      const { summary } = await profile(["--pid", `${server.pid}`], async () => {
        await (await startGoClient(server.port, "/hello", 307, 5, "fresh")).get();
        await (await startGoClient(server.port, "/hello", 509, 5)).get();
      });
      expectHttps(summary);
      expect(tallyOf(edgesOf(summary, "server"))).toEqual(await server.counters());
    },
    BUILD_MS,
  );
});

test(
  "100 MB up and down, as the server counts them",
  async () => {
    const server = await startGo("stripped", "counted");
    const url = `https://127.0.0.1:${server.port}`;
    const { summary } = await profile(["--pid", `${server.pid}`], async () => {
      await runChild("curl", ["-sk", "-o", "/dev/null", `${url}/size/100000007`]);
      const upload = `head -c 100000007 /dev/zero | curl -sk -H Expect: --data-binary @- ${url}/upload`;
      expect((await runChild("sh", ["-c", upload])).stdout).toBe("100000007");
    });
    expectHttps(summary);
    expect(tallyOf(edgesOf(summary, "server"))).toEqual(await server.counters());
  },
  BUILD_MS,
);

test(
  "a client, from its start on: nginx's access log",
  async () => {
    const nginx = await startNginx({ tls: { certificate: createCertificate(), protocols: "TLSv1.2 TLSv1.3" } });
    const file = join(temporaryDirectory(), "profile.ndjson");
    const command = [await buildGo("stripped"), "client", `${nginx.port}`, "/hello", "211", "5", "once"];
    const { code, stderr } = await l7prof([...exactly, "--json", "-o", file, "--", ...command]);
    expect([code, stderr]).toEqual([0, ""]);
    const summary = JSON.parse(readFileSync(file, "utf8").trim().split("\n").at(-1)!) as Summary;
    expectHttps(summary);
    expect(edgesOf(summary, "client").every(({ peer }) => peer.port === nginx.port)).toBe(true);
    expect(tallyOf(edgesOf(summary, "client"))).toEqual(tallyOfAccessLog(await nginx.accessLog(211)));
  },
  BUILD_MS,
);

test(
  "HTTP/2 is named as such, and not read",
  async () => {
    const server = await startGo("stripped", "server", "h2");
    const { summary, warnings } = await profile(["--pid", `${server.pid}`], async () => {
      await (await startGoClient(server.port, "/hello", 11, 1, "h2")).get();
    });
    expect(warnings.map(({ code, message }) => [code, message])).toEqual([
      ["http2", expect.stringContaining(`port ${server.port} speaks HTTP/2`)],
    ]);
    expect(summary.edges).toEqual([]);
  },
  BUILD_MS,
);

test(
  "without a socket, and TLS within TLS, after panics: an edge says that the connection is not known",
  async () => {
    const { key, cert } = createCertificate();
    const program = await startServer(await buildGo("stripped", "nested"), [key, cert]);
    const { summary } = await profile(["--pid", `${program.pid}`], async () => {
      await program.ask("go", /^done/);
    });
    expect(summary.capture).toMatchObject({ coverage: 1, unansweredRequests: 0, orphanResponses: 0 });
    const uris = { "GET /pipe 200": 11, "GET /inner 200": 13 };
    for (const side of ["server", "client"] as const) {
      const edges = edgesOf(summary, side);
      const unknown = edges.filter(({ peer }) => peer.address === "(unknown)");
      expect(tallyOf(unknown).exchanges).toEqual(uris);
      const known = edges.filter(({ peer }) => peer.address !== "(unknown)");
      expect(tallyOf(known).exchanges).toEqual({ "GET /plain 200": 17 });
    }
  },
  BUILD_MS,
);

test.each([
  ["the server's last message is reset, and a tls.Conn lies where another did", "closed", 53],
  ["the client's reset comes before the server's Write has returned", "reset", 31],
  ["what came before the reset is read after it", "reset-unread", 31],
])(
  "%s",
  async (_, how, atLeast) => {
    const { key, cert } = createCertificate();
    const program = await startServer(await buildGo("stripped", "ends"), [key, cert]);
    let count = 0;
    const { summary } = await profile(["--pid", `${program.pid}`], async () => {
      count = Number((await program.ask(`${how} ${atLeast}`, /^done (\d+)$/))[1]);
    });
    expectHttps(summary);
    expect(count).toBeGreaterThanOrEqual(atLeast);
    for (const side of ["server", "client"] as const) {
      const edges = edgesOf(summary, side);
      expect(tallyOf(edges).exchanges).toEqual({ [`GET /${how} 200`]: count });
      // Whose reset comes first when both have closed is not sure.
      const ended = how === "closed" ? {} : side === "server" ? { resets: count } : { aborts: count };
      expect(edges).toMatchObject([{ tcp: { closes: count, openConnections: 0, ...ended } }]);
    }
  },
  BUILD_MS,
);

test(
  "doctor --pid names the library",
  async () => {
    const server = await startGo("stripped", "server");
    const { stdout } = await l7prof(["doctor", "--json", "--pid", `${server.pid}`]);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string; detail: string }[] };
    expect(checks.find(({ name }) => name === `${server.pid}`)).toMatchObject({
      state: "ok",
      detail: expect.stringMatching(
        /^https-stripped: HTTPS is read at the calls of Go crypto\/tls \(.*https-stripped\)$/,
      ),
    });
  },
  BUILD_MS,
);

test(
  "a program that has OpenSSL, too, is read at both",
  async () => {
    const { key, cert } = createCertificate();
    const program = await startServer(await buildGo("plain", "cgo"), [key, cert]);
    const { summary } = await profile(["--pid", `${program.pid}`], async () => {
      for (const count of [53, 101]) await program.ask(`${count}`, new RegExp(`^done ${count}$`));
    });
    expectHttps(summary);
    const exchanges = { "GET /hello 200": 154 };
    for (const side of ["server", "client"] as const)
      expect(tallyOf(edgesOf(summary, side)).exchanges).toEqual(exchanges);
  },
  BUILD_MS,
);
