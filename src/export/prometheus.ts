/** `--prometheus`: serves the page of metrics. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { HostPort } from "../config.ts";
import { Meter } from "../core/meter.ts";
import type { Capture, Window } from "../core/profile/window.ts";
import { onEndSignals } from "../end-signals.ts";
import { UserError } from "../errors.ts";
import type { Run } from "../view.ts";
import type { Exporter } from "./exporter.ts";
import { BUCKETS, MetricsPage } from "./prometheus-page.ts";

const MAX_CONNECTIONS = 16;

/**
 * `serveOn`: a replay is soon over, so its page stays until Ctrl-C, and this says so; null in a live run.
 * @throws UserError `cannot-listen`
 */
export async function openPrometheus(
  { host, port }: HostPort,
  serveOn: ((text: string) => void) | null,
): Promise<Exporter> {
  const meter = new Meter(BUCKETS);
  let run: Run | null = null;
  let capture: Capture | null = null;
  const page = new MetricsPage(meter, () => capture ?? run?.total().capture ?? null);
  let scrapes = 0;
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    scrapes++;
    void answer(page, request, response);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, host, port);
  server.unref();
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}/metrics`;
  return {
    name: `--prometheus ${url}`,
    exchange: (edge, exchange) => meter.record(edge, exchange),
    start(_start, of) {
      run = of;
    },
    window(window: Window) {
      capture = window.capture;
    },
    summary(summary) {
      capture = summary.capture;
    },
    async end() {
      if (serveOn !== null) {
        serveOn(`l7prof: the metrics are at ${url} until Ctrl-C\n`);
        await interrupted();
      }
      server.close();
      server.closeAllConnections();
      return { what: "scrapes", sent: scrapes, givenUp: 0, why: "" };
    },
  };
}

function listen(server: ReturnType<typeof createServer>, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const fix =
        cause.code === "EADDRINUSE" ? "another program has the port: name another" : "name an address of this machine";
      const what = `--prometheus: cannot listen on ${host} port ${port}: ${cause.code ?? cause.message}`;
      reject(new UserError("cannot-listen", what, fix, { cause }));
    });
    server.listen(port, host, resolve);
  });
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    const keepAlive = setInterval(() => {}, 60_000);
    onEndSignals(() => {
      clearInterval(keepAlive);
      resolve();
    });
  });
}

async function answer(page: MetricsPage, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url?.split("?")[0];
  if (path !== "/metrics" && path !== "/") return void response.writeHead(404).end("the metrics are at /metrics\n");
  if (request.method !== "GET" && request.method !== "HEAD")
    return void response.writeHead(405, { allow: "GET, HEAD" }).end();
  const isOpenMetrics = /application\/openmetrics-text/.test(request.headers.accept ?? "");
  const { contentType, text } = await page.text(isOpenMetrics);
  response.writeHead(200, { "content-type": contentType }).end(request.method === "HEAD" ? undefined : text);
}
