/** A real zipkin-server: what it takes, and what it makes of a span and its fragments. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ZipkinSpan } from "../../src/export/zipkin-span.ts";
import { type Child, startChild } from "../support/child.ts";
import { freePort } from "../support/free-port.ts";
import { l7prof, startL7prof } from "../support/l7prof.ts";
import { load } from "../support/load.ts";
import { inRepo, temporaryDirectory } from "../support/paths.ts";
import { startNodeServer } from "../support/servers.ts";
import { until } from "../support/until.ts";

const jar = process.env.ZIPKIN_JAR ?? inRepo("tmp/zipkin/zipkin-server-3.4.2-exec.jar");

test("fragments of both sides, and the merged view: each span keeps its own, and gets ours", async () => {
  const zipkin = await startZipkin();
  const server = await startNodeServer();
  const client = startChild("node", [inRepo("test/servers/zipkin-client.js"), zipkin.url]);
  await client.line(/^ready$/);
  const run = await startL7prof([
    "--pid",
    `${server.pid}`,
    "--pid",
    `${client.pid}`,
    "--port",
    `${server.port}`,
    "--slow",
    "0",
    "--zipkin",
    zipkin.url,
  ]);
  const [, traceId = "", id = ""] = await client.ask(
    `http://127.0.0.1:${server.port}/chunked/3?token=hush`,
    /^([0-9a-f]{32}) ([0-9a-f]{16})$/,
  );
  // The server's half of the span, as Brave reports it.
  const ofServer = {
    ...{
      traceId,
      id,
      kind: "SERVER",
      name: "get /chunked/{n}",
      shared: true,
      timestamp: Date.now() * 1000,
      duration: 3000,
    },
    ...{
      localEndpoint: { serviceName: "stock", ipv4: "127.0.0.1", port: server.port },
      tags: { "mvc.controller.class": "Stock" },
    },
  };
  const posted = await fetch(`${zipkin.url}/api/v2/spans`, {
    method: "POST",
    body: JSON.stringify([ofServer]),
    headers: { "content-type": "application/json" },
  });
  expect(posted.status).toBe(202);
  await until("both samples", () => run.lines().filter(({ type }) => type === "sample").length === 2);
  const { stderr } = await run.finish();
  expect(stderr).toMatch(/--zipkin .*: 2 spans\n/);

  const parts = await until("all parts of the trace", async () => {
    const spans = await zipkin.trace(traceId);
    return spans.length === 4 && spans;
  });
  const ofClient = parts.find(({ kind }) => kind === "CLIENT")!;
  expect(ofClient.localEndpoint?.serviceName).toBe("shop");
  expect(
    parts
      .filter(({ kind }) => kind === undefined)
      .map(({ shared }) => shared ?? false)
      .sort(),
  ).toEqual([false, true]);

  const merged = mergedByZipkin(parts);
  expect(merged).toHaveLength(2);
  const { annotations: _, tags: clientTags, ...clientSelf } = ofClient;
  const { tags: serverTags, ...serverSelf } = ofServer;
  for (const [span, self, tags] of [
    [merged[0]!, clientSelf, clientTags],
    [merged[1]!, serverSelf, serverTags],
  ] as const) {
    expect(span).toMatchObject({ ...self, tags });
    const values = span.annotations.map(({ value }) => value);
    for (const name of ["HTTP Request Sampling-1", "HTTP Response Sampling-1"]) {
      expect(values).toEqual(expect.arrayContaining([`Start ${name}`, `Finished ${name}`]));
      expect(span.tags[name]).toMatch(/^(GET \/chunked\/3\?token=\[redacted\]|HTTP\/1\.1 200)/);
    }
    expect(values.filter((value) => /^Start Syscall Write/.test(value)).length).toBeGreaterThan(0);
  }
  // Their call events tell the sides apart: the client writes once, the server at least three times.
  const writes = merged.map(
    ({ annotations }) => annotations.filter(({ value }) => /^Start Syscall Writ/.test(value)).length,
  );
  expect([writes[0], writes[1]! >= 3]).toEqual([1, true]);
});

test("exchanges without context become spans of their own, that Zipkin finds", async () => {
  const zipkin = await startZipkin();
  const server = await startNodeServer();
  const recording = join(temporaryDirectory(), "run.l7");
  const run = await startL7prof([
    "--pid",
    `${server.pid}`,
    "--slow",
    "0",
    "--record",
    recording,
    "--zipkin",
    zipkin.url,
    "--zipkin-untraced",
  ]);
  await load([{ path: "/hello" }, { path: "/status/503" }], { port: server.port, count: 31 });
  const { stderr } = await run.finish();
  expect(stderr).toMatch(/--zipkin .*: 31 spans\n/);
  const found = () => zipkin.get<ZipkinSpan[][]>("/api/v2/traces?serviceName=node&limit=1000");
  const traces = await until("all traces", async () => {
    const all = await found();
    return all.length === 31 && all;
  });
  expect(traces.filter(([span]) => span!.tags.error === "503")).toHaveLength(15);
  // A replay sends the same spans: they are the same traces.
  const again = await l7prof([
    "replay",
    recording,
    "--slow",
    "0",
    "--interval",
    "0",
    "--zipkin",
    zipkin.url,
    "--zipkin-untraced",
  ]);
  expect(again.stderr).toMatch(/31 spans\n/);
  expect(await found()).toHaveLength(31);
});

test("killed in mid-run and started again: nothing is lost", async () => {
  const zipkin = await startZipkin();
  const server = await startNodeServer();
  const run = await startL7prof(["--pid", `${server.pid}`, "--slow", "0", "--zipkin", zipkin.url, "--zipkin-untraced"]);
  const count = (url: string) =>
    zipkin.get<ZipkinSpan[][]>(`${url}?serviceName=node&limit=1000`).then((all) => all.length);
  await load([{ path: "/hello" }], { port: server.port, count: 37 });
  await until("the first are there", async () => (await count("/api/v2/traces")) === 37);
  await zipkin.kill();
  await load([{ path: "/hello" }], { port: server.port, count: 41 });
  await run.waitFor(
    ({ type, ...line }) => type === "warning" && /trying again/.test((line as { message: string }).message),
    20_000,
  );
  const back = await startZipkin(zipkin.port);
  await load([{ path: "/hello" }], { port: server.port, count: 43 });
  const { stderr } = await run.finish();
  expect(stderr).toMatch(/--zipkin .*: 121 spans\n/);
  // Its memory went with it: it has what was sent since.
  await until(
    "the rest is there",
    async () => (await back.get<unknown[]>("/api/v2/traces?serviceName=node&limit=1000")).length === 41 + 43,
  );
});

interface Zipkin {
  readonly port: number;
  readonly url: string;
  readonly get: <T>(path: string) => Promise<T>;
  readonly trace: (id: string) => Promise<ZipkinSpan[]>;
  readonly kill: () => Promise<void>;
}

async function startZipkin(wantedPort?: number): Promise<Zipkin> {
  const port = wantedPort ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  const child: Child = startChild("java", ["-Xmx256m", "-jar", jar], {
    env: {
      QUERY_PORT: String(port),
      STORAGE_TYPE: "mem",
      SELF_TRACING_ENABLED: "false",
      COLLECTOR_HTTP_ENABLED: "true",
    },
  });
  await until(
    "zipkin is up",
    () =>
      fetch(`${url}/health`).then(
        ({ ok }) => ok,
        () => false,
      ),
    90_000,
  );
  const get = async <T>(path: string) => (await fetch(url + path)).json() as Promise<T>;
  return {
    port,
    url,
    get,
    trace: async (id) => {
      const response = await fetch(`${url}/api/v2/trace/${id}`);
      return response.ok ? ((await response.json()) as ZipkinSpan[]) : [];
    },
    kill: async () => {
      child.signal("SIGKILL");
      await child.exited;
    },
  };
}

function mergedByZipkin(spans: readonly ZipkinSpan[]): ZipkinSpan[] {
  const directory = temporaryDirectory();
  execFileSync("unzip", ["-qoj", jar, "BOOT-INF/lib/zipkin-3.4.2.jar", "-d", directory]);
  const out = execFileSync(
    "java",
    ["-cp", join(directory, "zipkin-3.4.2.jar"), inRepo("test/backends/MergeTrace.java")],
    {
      input: JSON.stringify(spans),
      encoding: "utf8",
    },
  );
  return JSON.parse(out);
}
