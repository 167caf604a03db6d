import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { join } from "node:path";
import { connect } from "node:tls";
import { describe, expect, test } from "vitest";
import type { Summary } from "../../src/core/profile/window.ts";
import { tallyOfAccessLog } from "../support/access-log.ts";
import { uprobeLinksOf } from "../support/bpf.ts";
import { canConnect } from "../support/can-connect.ts";
import { type Certificate, createCertificate } from "../support/certificate.ts";
import { runChild, startChild } from "../support/child.ts";
import { freePort } from "../support/free-port.ts";
import { expectHttps } from "../support/https.ts";
import { edgesOf, exactly, l7prof, profile, startL7prof } from "../support/l7prof.ts";
import { startNginx } from "../support/nginx.ts";
import { inRepo, temporaryDirectory } from "../support/paths.ts";
import { connectRaw, getRequest, rawConnection } from "../support/raw-client.ts";
import { startNodeServer, startServer } from "../support/servers.ts";
import { tallyOf, totalOf } from "../support/tally.ts";
import { until } from "../support/until.ts";

const insecure = { rejectUnauthorized: false } as const;

async function connectSecure(port: number, ALPNProtocols?: string[]) {
  const socket = connect({ port, host: "127.0.0.1", ...insecure, ...(ALPNProtocols && { ALPNProtocols }) });
  await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  return rawConnection(socket);
}

/** `count` GETs over one keep-alive connection. */
async function get(port: number, path: string, count: number, module: typeof http | typeof https = https) {
  const agent = new module.Agent({ keepAlive: true, maxSockets: 1, ...insecure });
  for (let sent = 0; sent < count; sent++) {
    await new Promise<void>((resolve, reject) => {
      const options = { host: "127.0.0.1", port, path, agent };
      module.get(options, (response) => response.resume().on("end", resolve)).on("error", reject);
    });
  }
  agent.destroy();
}

function startSecureNginx(protocols: string, files: Record<string, Buffer> = {}) {
  return startNginx({ tls: { certificate: createCertificate(), protocols }, files });
}

function startPythonServer({ key, cert }: Certificate, how: string) {
  return startServer("python3", [inRepo("test/servers/https-server.py"), key, cert, how]);
}

const python = (port: number, how: string, count: number) =>
  ["python3", inRepo("test/servers/https-client.py"), `${port}`, how, `${count}`] as const;

describe.each(["TLSv1.2", "TLSv1.3"])("nginx, %s: as its access log says", (protocols) => {
  test("ab, keep-alive and a connection for each; curl and a large file", async () => {
    const big = Buffer.alloc(3_000_017, "x");
    const nginx = await startSecureNginx(protocols, { big });
    const url = `https://127.0.0.1:${nginx.port}`;
    const { summary } = await profile(["--pid", `${nginx.pid}`], async () => {
      await runChild("ab", ["-q", "-k", "-c", "7", "-n", "2003", `${url}/hello`]);
      await runChild("ab", ["-q", "-c", "7", "-n", "211", `${url}/hello`]);
      const { stdout } = await runChild("curl", ["-sk", `${url}/big`, "-o", "/dev/null", "-w", "%{size_download}"]);
      expect(Number(stdout)).toBe(big.length);
    });
    expectHttps(summary);
    expect(tallyOf(edgesOf(summary, "server"))).toEqual(tallyOfAccessLog(await nginx.accessLog(2215)));
  });
});

function fetches(port: number, count: number): string {
  return `process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    process.removeAllListeners("warning");
    const get = async () => (await fetch("https://127.0.0.1:${port}/hello")).text();
    Promise.all(Array.from({ length: ${count} }, get));`;
}

const clients: readonly [name: string, command: (port: number) => readonly string[], count: number][] = [
  ["curl", (port) => ["curl", "-sk", ...Array<string>(7).fill(`https://127.0.0.1:${port}/hello`)], 7],
  [
    "wget (GnuTLS)",
    (port) => [
      "wget",
      "-q",
      "--no-check-certificate",
      "-O",
      "-",
      ...["hello", "hello"].map((path) => `https://127.0.0.1:${port}/${path}`),
    ],
    2,
  ],
  ["Node's fetch, which asks within the call that ends the handshake", (port) => ["node", "-e", fetches(port, 7)], 7],
  ["Python's urllib", (port) => python(port, "urllib", 11), 11],
  ["Python, sessions resumed", (port) => python(port, "resume", 11), 11],
  ["Python's asyncio (memory BIOs)", (port) => python(port, "asyncio", 61), 61],
];

test.each(clients)("%s as a client, from its start on", async (_, command, count) => {
  const nginx = await startSecureNginx("TLSv1.2 TLSv1.3");
  const file = join(temporaryDirectory(), "profile.ndjson");
  const { code, stderr } = await l7prof([...exactly, "--json", "-o", file, "--", ...command(nginx.port)]);
  expect([code, stderr]).toEqual([0, ""]);
  const summary = JSON.parse(readFileSync(file, "utf8").trim().split("\n").at(-1)!) as Summary;
  expectHttps(summary);
  expect(summary.edges.every(({ peer }) => peer.port === nginx.port)).toBe(true);
  expect(totalOf(tallyOf(summary.edges))).toBe(count);
  expect(tallyOf(edgesOf(summary, "client"))).toEqual(tallyOfAccessLog(await nginx.accessLog(count)));
});

test("Node: HTTPS (memory BIOs) and HTTP in one process, sizes as the server counts them", async () => {
  const { key, cert } = createCertificate();
  const server = await startNodeServer(["--key", key, "--cert", cert, "--plain"]);
  const plainPort = Number((await server.line(/^plain (\d+)$/))[1]);
  const { summary } = await profile(["--pid", `${server.pid}`], async () => {
    await Promise.all([
      get(server.port, "/hello", 211),
      get(server.port, "/chunked/5", 23),
      get(server.port, "/size/1000003", 7),
      get(plainPort, "/hello", 101, http),
    ]);
    const upload = ["-sk", "--data-binary", "@/proc/self/exe", `https://127.0.0.1:${server.port}/upload`];
    await runChild("curl", upload);
  });
  const count = (protocol: string) => totalOf(tallyOf(summary.edges.filter((edge) => edge.protocol === protocol)));
  expect([count("https"), count("http")]).toEqual([242, 101]);
  expect(tallyOf(summary.edges)).toEqual(await server.counters());
  expect(summary.capture).toMatchObject({ coverage: 1, unansweredRequests: 0, orphanResponses: 0 });
});

test("Node: HTTPS and HTTP in one process, on connections that were open before", async () => {
  const { key, cert } = createCertificate();
  const server = await startNodeServer(["--key", key, "--cert", cert, "--plain"]);
  const plainPort = Number((await server.line(/^plain (\d+)$/))[1]);
  const secure = await connectSecure(server.port);
  const plain = await connectRaw({ port: plainPort, host: "127.0.0.1" });
  const ask = async ({ write, response }: typeof plain, path: string, count: number) => {
    for (let sent = 0; sent < count; sent++) {
      await write(getRequest(path));
      await response();
    }
  };
  await Promise.all([secure, plain].map((connection) => ask(connection, "/before", 3)));
  const { summary } = await profile(["--pid", `${server.pid}`], async () => {
    await Promise.all([ask(secure, "/hello", 211), ask(plain, "/hello", 101)]);
    expect((await server.counters()).exchanges).toMatchObject({ "GET /hello 200": 312 });
  });
  const seen = (protocol: string) => tallyOf(summary.edges.filter((edge) => edge.protocol === protocol));
  const size = getRequest("/hello").length;
  expect(seen("https")).toMatchObject({ exchanges: { "GET /hello 200": 211 }, requestBytes: 211 * size });
  expect(seen("http")).toMatchObject({ exchanges: { "GET /hello 200": 101 }, requestBytes: 101 * size });
  expect(totalOf(tallyOf(summary.edges))).toBe(312);
  expect(summary.capture).toMatchObject({ coverage: 1, unansweredRequests: 0, orphanResponses: 0 });
});

test.each(["threads", "asyncio"])("Python's ssl as a server: %s", async (how) => {
  const server = await startPythonServer(createCertificate(), how);
  const { summary } = await profile(["--pid", `${server.pid}`], async () => {
    await get(server.port, "/hello", 101);
    const [command, ...args] = python(server.port, "urllib", 53);
    await runChild(command, args);
  });
  expectHttps(summary);
  expect(tallyOf(edgesOf(summary, "server"))).toEqual(await server.counters());
});

test("a server that reads and writes through OpenSSL's own BIOs, not SSL_read and SSL_write", async () => {
  const { key, cert } = createCertificate();
  const [root, port] = [temporaryDirectory(), await freePort()];
  writeFileSync(join(root, "small"), "hello\n");
  writeFileSync(join(root, "large"), Buffer.alloc(200_003, "x"));
  const options = ["-accept", `${port}`, "-cert", cert, "-key", key, "-WWW", "-quiet"];
  const server = startChild("openssl", ["s_server", ...options], { cwd: root });
  await until("s_server listens", () => canConnect(port));
  const { summary } = await profile(["--pid", `${server.pid}`], async () => {
    for (const path of ["small", "large", "small", "large", "small"])
      await runChild("curl", ["-sk", "-o", "/dev/null", `https://127.0.0.1:${port}/${path}`]);
  });
  expectHttps(summary);
  expect(tallyOf(summary.edges).exchanges).toEqual({ "GET /small 200": 3, "GET /large 200": 2 });
  const bodies = 3 * 6 + 2 * 200_003;
  const heads = 5 * "HTTP/1.0 200 ok\r\nContent-type: text/plain\r\n\r\n".length;
  expect(summary.edges.reduce((sum, { responseBytes }) => sum + responseBytes.sum, 0)).toBe(bodies + heads);
});

const openServers: readonly [
  name: string,
  start: (certificate: Certificate) => Promise<{ pid: number; port: number }>,
][] = [
  ["nginx", (certificate) => startNginx({ tls: { certificate, protocols: "TLSv1.3" } })],
  ["Node", ({ key, cert }) => startNodeServer(["--key", key, "--cert", cert])],
  ["Python's asyncio", (certificate) => startPythonServer(certificate, "asyncio")],
];

test.each(openServers)("%s: connections that were open before, pipelined requests", async (_, start) => {
  const server = await start(createCertificate());
  const open = await connectSecure(server.port);
  await open.write(getRequest("/hello"));
  await open.response();
  const { summary } = await profile(["--pid", `${server.pid}`], async () => {
    for (let sent = 0; sent < 31; sent++) {
      await open.write(getRequest("/hello"));
      await open.response();
    }
    const late = await connectSecure(server.port);
    await late.write(getRequest("/hello").repeat(5));
    for (let read = 0; read < 5; read++) await late.response();
  });
  expectHttps(summary);
  expect(tallyOf(summary.edges).exchanges).toEqual({ "GET /hello 200": 36 });
});

test.each(openServers)("%s: connections that were open before and only end", async (_, start) => {
  const server = await start(createCertificate());
  const open = await Promise.all([1, 2, 3, 4, 5].map(() => connectSecure(server.port)));
  for (const connection of open) {
    await connection.write(getRequest("/hello"));
    await connection.response();
  }
  const { summary, warnings } = await profile(["--pid", `${server.pid}`], async () => {
    for (const connection of open) connection.socket.end();
    await get(server.port, "/hello", 3);
  });
  expectHttps(summary);
  expect(warnings).toEqual([]);
  expect(tallyOf(summary.edges).exchanges).toEqual({ "GET /hello 200": 3 });
});

test("both ends: who called whom, samples say https; what TCP tells of a short connection", async () => {
  const { key, cert } = createCertificate();
  const server = await startNodeServer(["--key", key, "--cert", cert]);
  const { summary, samples } = await profile(["--all", "--port", `${server.port}`, "--5xx"], async () => {
    await runChild("curl", ["-sk", "-o", "/dev/null", `https://127.0.0.1:${server.port}/status/503`]);
    await server.counters(); // its last call may return long after curl has read the answer
  });
  expectHttps(summary);
  const tcp = { closes: 1, openConnections: 0, srttMs: { count: 1 } };
  expect(edgesOf(summary, "server")).toMatchObject([{ peer: { comm: "curl" }, process: { pid: server.pid }, tcp }]);
  const asked = { comm: "node", port: server.port };
  expect(edgesOf(summary, "client")).toMatchObject([
    { peer: asked, process: { comm: "curl" }, tcp: { ...tcp, connectMs: { count: 1 } } },
  ]);
  expect(samples.map(({ protocol, side }) => `${protocol} ${side}`).sort()).toEqual(["https client", "https server"]);
});

test("a client that says hello and leaves before the server has read that: a session like others", async () => {
  const server = await startPythonServer(createCertificate(), "asyncio");
  const hello = `import socket, ssl
context, out = ssl.create_default_context(), ssl.MemoryBIO()
session = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost")
try: session.do_handshake()
except ssl.SSLWantReadError: socket.create_connection(("127.0.0.1", ${server.port})).sendall(out.read())`;
  const { summary, warnings } = await profile(["--pid", `${server.pid}`], async () => {
    process.kill(server.pid, "SIGSTOP");
    await runChild("python3", ["-c", hello]);
    process.kill(server.pid, "SIGCONT");
    await runChild("curl", ["-sk", "-o", "/dev/null", `https://127.0.0.1:${server.port}/hello`]);
  });
  expectHttps(summary);
  expect(warnings).toEqual([]);
});

test("--port: other connections of the process are left out", async () => {
  const { key, cert } = createCertificate();
  const servers = await Promise.all([0, 1].map(() => startNodeServer(["--key", key, "--cert", cert])));
  const [wanted, other] = servers.map(({ port }) => `${port}`) as [string, string];
  const urls = [wanted, other, wanted].map((port) => `https://127.0.0.1:${port}/hello`);
  const file = join(temporaryDirectory(), "profile.ndjson");
  await l7prof([...exactly, "--json", "-o", file, "--port", wanted, "--", "curl", "-sk", ...urls]);
  const summary = JSON.parse(readFileSync(file, "utf8").trim().split("\n").at(-1)!) as Summary;
  expect(summary.edges.map(({ requests, peer }) => [requests, peer.port])).toEqual([[2, Number(wanted)]]);
});

test("a library that is loaded later", async () => {
  const nginx = await startSecureNginx("TLSv1.3");
  const program = `import sys; print("ready 0", flush=True); sys.stdin.readline(); import ssl; print("loaded", flush=True); sys.stdin.readline(); sys.argv = ["", "${nginx.port}", "urllib", "5"]; exec(open("${inRepo("test/servers/https-client.py")}").read())`;
  const client = await startServer("python3", ["-c", program]);
  const run = await startL7prof([...exactly, "--pid", `${client.pid}`]);
  await client.ask("load", /^loaded/);
  await until("l7prof is attached to the library", () => uprobeLinksOf(run.pid) > 0);
  await client.ask("go", /^done/);
  const { summary } = await run.finished();
  expectHttps(summary);
  expect(tallyOf(summary.edges)).toEqual(tallyOfAccessLog(await nginx.accessLog(5)));
});

test("Node sleeps in the handshake's callback, and no request follows: the session has its connection", async () => {
  const { key, cert } = createCertificate();
  const server = await startNodeServer(["--key", key, "--cert", cert, "--pensive"]);
  const { summary, warnings } = await profile(["--pid", `${server.pid}`], async () => {
    for (let n = 0; n < 7; n++) await (await connectSecure(server.port, ["http/1.1"])).close();
  });
  expect(warnings).toEqual([]);
  expect(summary.unreadableTls).toBeUndefined();
});

test("what can't be read: a warning that names process, port and library, and a row with connections and bytes", async () => {
  const { key, cert } = createCertificate();
  const server = await startNodeServer(["--key", key, "--cert", cert, "--port", "61443"]);
  const run = await startL7prof([...exactly, "--pid", `${server.pid}`, "--tls", "off"]);
  await get(server.port, "/hello", 3);
  await get(server.port, "/hello", 5);
  const { warnings, summary, lines } = await run.finish();
  expect(warnings.filter(({ code }) => code === "tls-unreadable")).toHaveLength(1);
  expect(warnings[0]!.message).toContain("port 61443 is encrypted with TLS that l7prof can't read");
  expect(summary.edges).toEqual([]);
  expect(summary.unreadableTls).toMatchObject([{ process: { pid: server.pid, comm: "node" }, connections: 2 }]);
  expect(summary.unreadableTls![0]!.bytes).toBeGreaterThan(8 * 100);
  expect(lines.at(-1)!.type).toBe("summary");
});

test("doctor --pid: at which library's calls the process is read", async () => {
  const nginx = await startSecureNginx("TLSv1.3");
  const { code, stdout } = await l7prof(["doctor", "--json", "--pid", `${nginx.pid}`]);
  expect(code).toBe(0);
  const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string; detail: string }[] };
  expect(checks.find(({ name }) => name === "TLS")).toMatchObject({ state: "ok" });
  expect(checks.find(({ name }) => name === `${nginx.pid}`)).toMatchObject({
    state: "ok",
    detail: expect.stringMatching(/^nginx: HTTPS is read at the calls of OpenSSL \(.*libssl\.so/),
  });
});
