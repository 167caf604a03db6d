import { expect, test } from "vitest";
import { tallyOfAccessLog } from "../support/access-log.ts";
import { edgesOf, profile } from "../support/l7prof.ts";
import { load, type Request } from "../support/load.ts";
import { startNginx } from "../support/nginx.ts";
import { startNodeServer } from "../support/servers.ts";
import { tallyOf } from "../support/tally.ts";

const text = "A line of a text that compresses well.\n".repeat(400);

const mix: readonly Request[] = [
  { path: "/hello" },
  { path: "/small.txt" },
  { path: "/users/17?token=a&page=2" },
  { path: "/missing" },
  { path: "/hello", method: "HEAD" },
  { path: "/text.txt", headers: { "accept-encoding": "gzip" } },
  { path: "/small.txt", headers: { "if-modified-since": new Date(Date.now() + 86_400_000).toUTCString() } },
  { path: "/app/upload", method: "POST", body: "x".repeat(900) },
  { path: "/app/chunked/3" },
  { path: "/small.txt", headers: { range: "bytes=2-5" } },
  { path: "/app/upload", method: "PUT", body: "y".repeat(30_000) },
  { path: "/broken" },
  { path: "/app/size/70000" },
  { path: "/small.txt", method: "DELETE" },
  { path: "/app/upload", method: "POST", body: "z".repeat(500), chunked: true },
  { path: "/old" },
  { path: "/large.bin" },
];

async function startFrontAndApp() {
  const app = await startNodeServer();
  const nginx = await startNginx({
    files: { "small.txt": "A small file of nginx.\n", "text.txt": text, "large.bin": Buffer.alloc(300_000, "b") },
    server: `
      gzip on;
      gzip_types text/plain;
      location /users/ { return 200 "a user\\n"; }
      location = /broken { return 503; }
      location = /old { return 301 /hello; }
      location /app/ {
        proxy_pass http://127.0.0.1:${app.port}/;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
      }`,
  });
  return { app, nginx };
}

test("10,007 keep-alive requests and 1,009 fresh connections: counts and sizes equal nginx's access log", async () => {
  const { nginx } = await startFrontAndApp();
  let log = "";
  const { summary } = await profile(["--pid", `${nginx.pid}`], async () => {
    await load(mix, { port: nginx.port, count: 10_007 });
    await load(mix, { port: nginx.port, count: 1009, fresh: true });
    log = await nginx.accessLog(10_007 + 1009);
  });
  expect(tallyOf(edgesOf(summary, "server"))).toEqual(tallyOfAccessLog(log));
  expect(summary.capture).toMatchObject({ lostEvents: 0, coverage: 1, unparsedMessages: 0 });
}, 120_000);

test("nginx as a proxy: what it asks its upstream equals the upstream's own counters", async () => {
  const { app, nginx } = await startFrontAndApp();
  const { summary } = await profile(["--pid", `${nginx.pid}`], async () => {
    await load(
      mix.filter(({ path }) => path.startsWith("/app/")),
      { port: nginx.port, count: 499 },
    );
    await nginx.accessLog(499);
  });
  expect(tallyOf(edgesOf(summary, "client"))).toEqual(await app.counters());
  expect(summary.capture).toMatchObject({ lostEvents: 0, coverage: 1 });
});
