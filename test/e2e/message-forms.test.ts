import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { EndpointProfile } from "../../src/core/profile/edge.ts";
import type { Summary } from "../../src/core/profile/window.ts";
import { tallyOfAccessLog } from "../support/access-log.ts";
import { edgesOf, profile } from "../support/l7prof.ts";
import { load } from "../support/load.ts";
import { startNginx } from "../support/nginx.ts";
import { connectRaw, getRequest } from "../support/raw-client.ts";
import { type Server, startNodeServer } from "../support/servers.ts";
import { tallyOf } from "../support/tally.ts";

/** Profiles a server while `work` is done, which must be seen whole. */
async function see(work: (server: Server) => Promise<unknown>) {
  const server = await startNodeServer();
  const { summary } = await profile(["--pid", `${server.pid}`], () => work(server));
  expect(summary.capture).toMatchObject({ lostEvents: 0, coverage: 1, unparsedMessages: 0 });
  return { summary, tally: tallyOf(edgesOf(summary, "server")), counters: await server.counters() };
}

const open = (server: Server) => connectRaw({ port: server.port, host: "127.0.0.1" });
const endpoint = ({ edges }: Summary, uri: string): EndpointProfile =>
  edges.flatMap((edge) => edge.endpoints).find((candidate) => candidate.uri === uri)!;

test("HEAD, 204 and 304 have no body, whatever their headers say", async () => {
  const { tally, counters } = await see(async (server) => {
    const connection = await open(server);
    for (let round = 0; round < 19; round++) {
      await connection.write("HEAD /size/5000 HTTP/1.1\r\nHost: test\r\n\r\n");
      await connection.response({ bodiless: true });
      for (const path of ["/status/204", "/status/304", "/hello"]) {
        await connection.write(getRequest(path));
        await connection.response();
      }
    }
  });
  expect(tally).toEqual(counters);
  expect(tally.exchanges).toMatchObject({ "HEAD /size/5000 200": 19, "GET /status/304 304": 19 });
});

test("100-continue: one exchange with the final status", async () => {
  const body = "b".repeat(4000);
  const { tally } = await see(async (server) => {
    const connection = await open(server);
    for (let round = 0; round < 7; round++) {
      await connection.write(
        `POST /upload HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
      );
      expect((await connection.response()).status).toBe(100);
      await connection.write(body);
      expect((await connection.response()).status).toBe(200);
    }
  });
  expect(tally.exchanges).toEqual({ "POST /upload 200": 7 });
});

test("103 early hints: time to first byte is that of the final response", async () => {
  const { summary, tally } = await see((server) => load([{ path: "/early-hints" }], { port: server.port, count: 5 }));
  expect(tally.exchanges).toEqual({ "GET /early-hints 200": 5 });
  expect(endpoint(summary, "/early-hints").ttfbMs.min).toBeGreaterThanOrEqual(49);
});

test("durations: a slow answer takes what it takes, and no longer", async () => {
  const { summary } = await see((server) => load([{ path: "/slow/200" }], { port: server.port, count: 8 }));
  const { durationMs, ttfbMs } = endpoint(summary, "/slow/200");
  expect(ttfbMs.min).toBeGreaterThanOrEqual(199);
  expect(durationMs.max).toBeLessThan(300);
});

test("a large upload and a large download: every byte counted", async () => {
  const { tally, counters } = await see(async (server) => {
    await load([{ path: "/upload", method: "POST", body: Buffer.alloc(20_000_000, "u") }], {
      port: server.port,
      count: 3,
    });
    await load([{ path: "/size/20000000" }], { port: server.port, count: 3, connections: 2 });
  });
  expect(tally).toEqual(counters);
  expect(tally.requestBytes).toBeGreaterThan(60_000_000);
});

test("a large file by sendfile: every byte counted", async () => {
  const size = 30_000_000;
  const nginx = await startNginx({ files: { "huge.bin": Buffer.alloc(size, "h") } });
  const { summary } = await profile(["--pid", `${nginx.pid}`], async () => {
    await load([{ path: "/huge.bin" }], { port: nginx.port, count: 3, connections: 2 });
    await nginx.accessLog(3);
  });
  expect(tallyOf(edgesOf(summary, "server")).responseBytes).toBeGreaterThan(3 * size);
  expect(summary.capture).toMatchObject({ lostEvents: 0, coverage: 1 });
});

test("a head of 14 KB in many writes", async () => {
  const filler = Array.from({ length: 14 }, (_, index) => `X-Filler-${index}: ${"f".repeat(1000)}\r\n`).join("");
  const { tally, counters } = await see(async (server) => {
    const connection = await open(server);
    const request = getRequest("/hello", filler);
    for (let at = 0; at < request.length; at += 997) {
      await connection.write(request.slice(at, at + 997));
      await sleep(1);
    }
    expect((await connection.response()).status).toBe(200);
  });
  expect(tally).toEqual(counters);
});

test("server-sent events and a body that ends with the connection", async () => {
  const { summary, tally, counters } = await see(async (server) => {
    await load([{ path: "/events/5" }, { path: "/until-close/5" }], { port: server.port, count: 10 });
  });
  expect(tally).toEqual(counters);
  const { ttfbMs, durationMs } = endpoint(summary, "/events/5");
  expect(durationMs.min - ttfbMs.max).toBeGreaterThan(60);
});

test("a WebSocket upgrade: one exchange with 101, and what follows is no HTTP", async () => {
  const { tally } = await see(async (server) => {
    const connection = await open(server);
    await connection.write(getRequest("/socket", "Connection: Upgrade\r\nUpgrade: echo\r\n"));
    expect((await connection.response()).status).toBe(101);
    for (let round = 0; round < 10; round++) {
      const frame = getRequest(`/not-a-request/${round}`);
      await connection.write(frame);
      await connection.bytes(frame.length);
    }
    await connection.close();
  });
  expect(tally.exchanges).toEqual({ "GET /socket 101": 1 });
});

test("CONNECT: one exchange with 200, and what follows is no HTTP", async () => {
  const { tally } = await see(async (server) => {
    const connection = await open(server);
    await connection.write("CONNECT example.test:443 HTTP/1.1\r\nHost: example.test:443\r\n\r\n");
    expect((await connection.response()).status).toBe(200);
    const inside = getRequest("/inside");
    await connection.write(inside);
    await connection.bytes(inside.length);
    await connection.close();
  });
  expect(tally.exchanges).toEqual({ "CONNECT example.test:443 200": 1 });
});

test("a client that gives up: its request stays unanswered, the next connection counts", async () => {
  const server = await startNodeServer();
  const { summary } = await profile(["--pid", `${server.pid}`], async () => {
    const connection = await open(server);
    await connection.write(getRequest("/slow/5000"));
    // The server must have read it, or nobody has seen a request: it has, once it answers one that came later.
    await load([{ path: "/hello" }], { port: server.port, count: 1 });
    connection.socket.resetAndDestroy();
    await load([{ path: "/hello" }], { port: server.port, count: 7 });
  });
  expect(tallyOf(edgesOf(summary, "server")).exchanges).toEqual({ "GET /hello 200": 8 });
  expect(summary.capture.unansweredRequests).toBe(1);
});

test("HTTP/1.0 without keep-alive, unusual methods and the asterisk form", async () => {
  const { tally } = await see(async (server) => {
    const connection = await open(server);
    for (const method of ["PROPFIND", "PATCH", "M-SEARCH"]) {
      await connection.write(`${method} /hello HTTP/1.1\r\nHost: test\r\n\r\n`);
      await connection.response();
    }
    await connection.write("OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n");
    await connection.bytes(1);
    const old = await open(server);
    await old.write("GET /hello HTTP/1.0\r\n\r\n");
    await new Promise((resolve) => old.socket.once("end", resolve));
  });
  expect(tally.exchanges).toEqual({
    "PROPFIND /hello 200": 1,
    "PATCH /hello 200": 1,
    "M-SEARCH /hello 200": 1,
    "OPTIONS * 404": 1,
    "GET /hello 200": 1,
  });
});

test("trailers, of requests and of responses, belong to their messages", async () => {
  const { tally, counters } = await see(async (server) => {
    const connection = await open(server);
    const upload = "POST /upload HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n";
    for (let round = 0; round < 13; round++) {
      await connection.write(`${upload}5\r\nabcde\r\n0\r\nx-sum: ${round}\r\n\r\n`);
      await connection.response();
      await connection.write(getRequest("/trailers"));
      await connection.until("x-sum: 17\r\n\r\n");
    }
  });
  expect(tally).toEqual(counters);
  expect(tally.exchanges).toEqual({ "POST /upload 200": 13, "GET /trailers 200": 13 });
});

test("heads of 200 KiB and of 64 KiB, in nginx's own sizes", async () => {
  const long = Array.from({ length: 16 }, (_, i) => `add_header x-long-${i} ${"h".repeat(4000)};`).join("\n");
  const nginx = await startNginx({
    server: `large_client_header_buffers 8 64k; location /long { ${long} return 200 "short"; }`,
  });
  const fields = Array.from({ length: 7 }, (_, i) => `x-field-${i}: ${"f".repeat(30_000)}\r\n`).join("");
  const { summary } = await profile(["--pid", `${nginx.pid}`], async () => {
    const connection = await connectRaw({ port: nginx.port, host: "127.0.0.1" });
    for (let n = 0; n < 23; n++) {
      await connection.write(getRequest(n % 2 === 0 ? "/long" : "/hello", fields));
      expect((await connection.response()).status).toBe(200);
    }
    await nginx.accessLog(23);
  });
  expect(tallyOf(edgesOf(summary, "server"))).toEqual(tallyOfAccessLog(await nginx.accessLog(23)));
  expect(summary.capture).toMatchObject({ coverage: 1, unparsedMessages: 0, orphanResponses: 0 });
});
