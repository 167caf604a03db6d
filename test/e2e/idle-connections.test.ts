/** What comes before the first request of a connection, or instead of one. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tallyOfAccessLog } from "../support/access-log.ts";
import { startChild } from "../support/child.ts";
import { freePort } from "../support/free-port.ts";
import { edgesOf, nothingMissed, profile } from "../support/l7prof.ts";
import { startNginx } from "../support/nginx.ts";
import { temporaryDirectory } from "../support/paths.ts";
import { connectRaw, getRequest } from "../support/raw-client.ts";
import { tallyOf } from "../support/tally.ts";
import { until } from "../support/until.ts";

/** Version 2: PROXY, TCP over IPv4, and 12 bytes of addresses. */
const version2 = Buffer.from(
  "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\xdc\x04\x01\xbb",
  "latin1",
);

test.each([
  ["version 1", Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n")],
  ["version 2", version2],
])("the PROXY protocol before the first request, %s: what nginx logged", async (_, header) => {
  const port = await freePort();
  const nginx = await startNginx({ server: `listen 127.0.0.1:${port} proxy_protocol;` });
  const ask = async (first: Buffer) => {
    const connection = await connectRaw({ port, host: "127.0.0.1" });
    await connection.write(first);
    for (const path of ["/hello", "/missing", "/hello"]) {
      await connection.write(getRequest(path));
      await connection.response();
    }
  };
  const { summary } = await profile(["--pid", `${nginx.pid}`], async () => {
    for (let n = 0; n < 7; n++) await ask(header);
    await nginx.accessLog(21);
  });
  expect(tallyOf(edgesOf(summary, "server"))).toEqual(tallyOfAccessLog(await nginx.accessLog(21)));
  expect(summary.capture).toMatchObject(nothingMissed);
});

test("nginx closes a connection that is idle after its last answer: nothing is missed", async () => {
  const nginx = await startNginx({ server: "keepalive_timeout 1s;" });
  const { summary } = await profile(["--pid", `${nginx.pid}`], async () => {
    for (let n = 0; n < 5; n++) {
      const connection = await connectRaw({ port: nginx.port, host: "127.0.0.1" });
      const ended = new Promise((resolve) => connection.socket.once("close", resolve));
      await connection.write(getRequest("/hello"));
      await connection.response();
      if (n === 0) await ended;
    }
  });
  expect(tallyOf(edgesOf(summary, "server"))).toEqual(tallyOfAccessLog(await nginx.accessLog(5)));
  expect(summary.capture).toMatchObject(nothingMissed);
});

test("HAProxy answers 408 to a connection on which nobody asks: a response without request, and no exchange", async () => {
  const haproxy = await startHaproxy();
  const { summary } = await profile(["--pid", `${haproxy.pid}`], async () => {
    const silent = await connectRaw({ port: haproxy.port, host: "127.0.0.1" });
    expect((await silent.response()).status).toBe(408);
    const connection = await connectRaw({ port: haproxy.port, host: "127.0.0.1" });
    await connection.write(getRequest("/"));
    expect((await connection.response()).status).toBe(200);
  });
  expect(tallyOf(edgesOf(summary, "server")).exchanges).toEqual({ "GET / 200": 1 });
  expect(summary.capture).toMatchObject({ ...nothingMissed, requests: 1, responses: 2, orphanResponses: 1 });
});

async function startHaproxy() {
  const [directory, port] = [temporaryDirectory(), await freePort()];
  const file = join(directory, "haproxy.cfg");
  writeFileSync(
    file,
    `defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout http-request 300ms
frontend front
  bind 127.0.0.1:${port}
  http-request return status 200 content-type text/plain string hello
`,
  );
  const child = startChild("haproxy", ["-db", "-f", file]);
  await until("haproxy listens", async () => {
    const connection = await connectRaw({ port, host: "127.0.0.1" }).catch(() => null);
    await connection?.close();
    return connection !== null;
  });
  return { pid: child.pid, port };
}
