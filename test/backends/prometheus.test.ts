/** A real Prometheus scrapes the page; promtool reads it. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startChild } from "../support/child.ts";
import { freePort } from "../support/free-port.ts";
import { startL7prof } from "../support/l7prof.ts";
import { load } from "../support/load.ts";
import { temporaryDirectory } from "../support/paths.ts";
import { startNodeServer } from "../support/servers.ts";
import { until } from "../support/until.ts";

test("prometheus counts what the server counted, also after it was killed and started again", async () => {
  const server = await startNodeServer();
  const page = await freePort();
  const run = await startL7prof(["--pid", `${server.pid}`, "--interval", "0", "--prometheus", `${page}`]);
  const work = [
    { path: "/hello" },
    { path: "/status/503" },
    { path: '/a"b\\c/{x}' },
    { path: "/size/5000", method: "GET" },
  ];
  await load(work, { port: server.port, count: 101 });

  const text = await (await fetch(`http://127.0.0.1:${page}/metrics`)).text();
  expect(
    execFileSync("promtool", ["check", "metrics"], {
      input: text,
      encoding: "utf8",
      stdio: ["pipe", "pipe", "inherit"],
    }),
  ).toBe("");

  const directory = temporaryDirectory();
  const prometheus = await startPrometheus(directory, page);
  const total = "sum(http_server_request_duration_seconds_count)";
  await until("101 exchanges", async () => (await prometheus.query(total))[0]?.value === 101, 30_000);
  const byStatus = Object.fromEntries(
    (
      await prometheus.query(
        "sum by (http_route, http_response_status_code) (http_server_request_duration_seconds_count)",
      )
    ).map(({ metric, value }) => [`GET ${metric.http_route} ${metric.http_response_status_code}`, value]),
  );
  const { exchanges } = await server.counters();
  const templates = Object.fromEntries(
    Object.entries(exchanges).map(([key, count]) => [key.replace(/\/(503|5000) /, "/{id} "), count]),
  );
  expect(byStatus).toEqual(templates);
  // The buckets are what histogram_quantile needs.
  const [quantile] = await prometheus.query(
    "histogram_quantile(0.5, sum by (le) (http_server_request_duration_seconds_bucket))",
  );
  expect(quantile!.value).toBeGreaterThan(0);
  const [target] = await prometheus.query("up");
  expect(target!.value).toBe(1);

  await prometheus.kill();
  await load(work, { port: server.port, count: 97 });
  const again = await startPrometheus(directory, page);
  await until("198 exchanges", async () => (await again.query(total))[0]?.value === 198, 30_000);
  expect((await again.query("l7prof_exchanges_total"))[0]!.value).toBe(198);
  const { summary } = await run.finish();
  expect(summary.capture.exchanges).toBe(198);
});

interface Row {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

async function startPrometheus(directory: string, page: number) {
  const port = await freePort();
  const config = join(directory, "prometheus.yml");
  writeFileSync(
    config,
    `scrape_configs:\n- job_name: l7prof\n  scrape_interval: 1s\n  static_configs:\n  - targets: ["127.0.0.1:${page}"]\n`,
  );
  execFileSync("promtool", ["check", "config", config]);
  const child = startChild("prometheus", [
    `--config.file=${config}`,
    `--web.listen-address=127.0.0.1:${port}`,
    `--storage.tsdb.path=${join(directory, "data")}`,
  ]);
  const url = `http://127.0.0.1:${port}`;
  await until(
    "prometheus is up",
    () =>
      fetch(`${url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
    60_000,
  );
  return {
    query: async (query: string): Promise<Row[]> => {
      const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`);
      const { data } = (await response.json()) as {
        data: { result: { metric: Record<string, string>; value: [number, string] }[] };
      };
      return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    kill: async () => {
      child.signal("SIGKILL");
      await child.exited;
    },
  };
}
