/** Clients that do not wait for what HTTP would have them wait for. What nginx logged is what must be counted. */
import { type AddressInfo, createServer } from "node:net";
import { expect, test } from "vitest";
import { tallyOfAccessLog } from "../support/access-log.ts";
import { runChild } from "../support/child.ts";
import { onCleanup } from "../support/cleanup.ts";
import { edgesOf, nothingMissed, profile } from "../support/l7prof.ts";
import { startNginx } from "../support/nginx.ts";
import { inRepo } from "../support/paths.ts";
import { connectRaw, getRequest } from "../support/raw-client.ts";
import { startServer } from "../support/servers.ts";
import { tallyOf } from "../support/tally.ts";
import { until } from "../support/until.ts";

test("the client leaves before the response (499): a request without answer, here and at the server behind", async () => {
  const app = await startSilentServer();
  const nginx = await startNginx({ server: `location /silent { proxy_pass http://127.0.0.1:${app.port}; }` });
  const { summary } = await profile(["--pid", `${nginx.pid}`], async () => {
    for (let n = 1; n <= 7; n++) {
      const connection = await connectRaw({ port: nginx.port, host: "127.0.0.1" });
      await connection.write(getRequest("/hello"));
      await connection.response();
      await connection.write(getRequest("/silent"));
      await until("nginx has passed the request on", () => app.requests() === n);
      connection.socket.end();
      await nginx.accessLog(2 * n);
    }
  });
  expect(tallyOfAccessLog(await nginx.accessLog(14)).exchanges).toEqual({ "GET /hello 200": 7, "GET /silent 499": 7 });
  expect(tallyOf(edgesOf(summary, "server")).exchanges).toEqual({ "GET /hello 200": 7 });
  expect(tallyOf(edgesOf(summary, "client")).exchanges).toEqual({});
  expect(summary.capture).toMatchObject({ ...nothingMissed, unansweredRequests: 14 });
});

/** It reads requests and says nothing. */
async function startSilentServer() {
  let requests = 0;
  const server = createServer((socket) => socket.on("data", () => requests++).on("error", () => {}));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onCleanup(() => server.close());
  return { port: (server.address() as AddressInfo).port, requests: () => requests };
}

test("the server answers before it has the body (413): one exchange, and what was sent of the body is its size", async () => {
  const nginx = await startNginx({ server: "location /limited { client_max_body_size 1k; }" });
  const head = "POST /limited HTTP/1.1\r\nHost: test\r\nContent-Length: 5000000\r\n\r\n";
  const { summary } = await profile(["--pid", `${nginx.pid}`], async () => {
    for (let n = 0; n < 5; n++) {
      const connection = await connectRaw({ port: nginx.port, host: "127.0.0.1" });
      connection.socket.on("error", () => {});
      await connection.write(head);
      await connection.write("x".repeat(100_000));
      expect((await connection.response()).status).toBe(413);
      await connection.close();
    }
    await nginx.accessLog(5);
  });
  const logged = tallyOfAccessLog(await nginx.accessLog(5));
  const edges = edgesOf(summary, "server");
  expect(tallyOf(edges).exchanges).toEqual({ "POST /limited 413": 5 });
  expect(tallyOf(edges)).toMatchObject({ exchanges: logged.exchanges, responseBytes: logged.responseBytes });
  expect(summary.capture).toMatchObject(nothingMissed);
  expect(tallyOf(edges).requestBytes).toBe(5 * (head.length + 100_000));
});

test("the client asks again as the server closes: nothing of that request, and nothing wrong at the socket's next use", async () => {
  const server = await startServer("python3", [inRepo("test/servers/closing-server.py")]);
  const { summary } = await profile(["--pid", `${server.pid}`], async () => {
    const client = [inRepo("test/servers/hasty-client.py"), `${server.port}`, "101"];
    expect(await runChild("python3", client)).toMatchObject({ code: 0 });
  });
  const edges = edgesOf(summary, "server");
  expect(tallyOf(edges).exchanges).toEqual({ "GET /hello 200": 101 });
  expect(edges).toMatchObject([{ tcp: { accepts: 101, closes: 101, openConnections: 0, srttMs: { count: 101 } } }]);
  expect(summary.capture).toMatchObject(nothingMissed);
});
