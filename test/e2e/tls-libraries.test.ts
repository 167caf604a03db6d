/** One program, built against BoringSSL and OpenSSL, linked dynamically and statically: against its own count. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { createCertificate } from "../support/certificate.ts";
import { runChild } from "../support/child.ts";
import { expectHttps } from "../support/https.ts";
import { edgesOf, exactly, profile, startL7prof } from "../support/l7prof.ts";
import { startNginx } from "../support/nginx.ts";
import { inRepo } from "../support/paths.ts";
import { type Server, startServer } from "../support/servers.ts";
import { tallyOf } from "../support/tally.ts";

const directory = inRepo("tmp/tls");
/** Where Debian's android-libboringssl lies. */
const android = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/android`;

const builds = {
  BoringSSL: ["-I/usr/include/android", `-L${android}`, "-lssl", "-lcrypto", `-Wl,-rpath,${android}`],
  OpenSSL: ["-lssl", "-lcrypto"],
  "a static OpenSSL": ["-Wl,-Bstatic", "-lssl", "-lcrypto", "-Wl,-Bdynamic", "-ldl"],
  "a static OpenSSL without symbols": ["-s", "-Wl,-Bstatic", "-lssl", "-lcrypto", "-Wl,-Bdynamic", "-ldl"],
} as const;
type Build = keyof typeof builds;

const program = (build: Build) => join(directory, build.replaceAll(" ", "-"));

beforeAll(() => {
  mkdirSync(directory, { recursive: true });
  const source = inRepo("test/servers/tls-library.c");
  for (const [build, options] of Object.entries(builds))
    execFileSync("cc", ["-O2", "-Wall", "-Wextra", "-o", program(build as Build), source, "-pthread", ...options]);
});

function startProgram(build: Build): Promise<Server> {
  const { key, cert } = createCertificate();
  return startServer(program(build), ["server", key, cert]);
}

async function askMuch({ port }: Server) {
  const url = `https://127.0.0.1:${port}`;
  await runChild("ab", ["-q", "-k", "-c", "7", "-n", "1009", `${url}/hello`]);
  await runChild("ab", ["-q", "-c", "7", "-n", "101", `${url}/size/1013`]);
  const urls = ["/size/3000017", "/size/16384", "/size/100003"].flatMap((path) => ["-o", "/dev/null", url + path]);
  await runChild("curl", ["-sk", ...urls]);
  await runChild("curl", ["-sk", "-o", "/dev/null", "--data-binary", "@/proc/self/exe", `${url}/upload`]);
}

const readable = ["BoringSSL", "OpenSSL", "a static OpenSSL"] as const;

describe.each(readable)("%s", (build) => {
  test("a server: keep-alive, a connection for each, large, an upload", async () => {
    const server = await startProgram(build);
    const { summary, warnings } = await profile(["--pid", `${server.pid}`], () => askMuch(server));
    expectHttps(summary);
    expect(warnings).toEqual([]);
    const tally = await server.counters();
    expect(tallyOf(edgesOf(summary, "server"))).toEqual(tally);
    expect(tally.exchanges).toMatchObject({ "GET /hello 200": 1009, "GET /size/1013 200": 101, "POST /upload 200": 1 });
  });

  test("a client, with nginx", async () => {
    const nginx = await startNginx({ tls: { certificate: createCertificate(), protocols: "TLSv1.2 TLSv1.3" } });
    const client = await startServer(program(build), ["client", `${nginx.port}`, "/hello", "53"]);
    const run = await startL7prof([...exactly, "--pid", `${client.pid}`]);
    for (let connections = 0; connections < 3; connections++) await client.ask("go", /^done/);
    const { summary } = await run.finish();
    expectHttps(summary);
    const tally = await client.counters();
    expect(tallyOf(edgesOf(summary, "client"))).toEqual(tally);
    expect(tally.exchanges).toEqual({ "GET /hello 200": 159 });
  });
});

test("a static OpenSSL without symbols is named, with its connections", async () => {
  const build = "a static OpenSSL without symbols";
  const server = await startProgram(build);
  const client = await startServer(program("OpenSSL"), ["client", `${server.port}`, "/size/1013", "5"]);
  const { summary, warnings } = await profile(["--pid", `${server.pid}`], async () => {
    for (let connections = 0; connections < 13; connections++) await client.ask("go", /^done/);
  });
  expect(summary.edges).toEqual([]);
  expect(summary.unreadableTls).toMatchObject([{ library: build, connections: 13 }]);
  const { requestBytes, responseBytes } = await server.counters();
  expect(summary.unreadableTls![0]!.bytes).toBeGreaterThan(requestBytes + responseBytes);
  expect(warnings.map(({ message }) => message)).toEqual([
    expect.stringMatching(`port ${server.port} is encrypted with TLS that l7prof can't read: ${build}$`),
  ]);
});
