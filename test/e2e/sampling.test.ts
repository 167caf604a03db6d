import { expect, test } from "vitest";
import { profile } from "../support/l7prof.ts";
import { load, type Request } from "../support/load.ts";
import { startNodeServer } from "../support/servers.ts";

async function sample(args: readonly string[], requests: readonly Request[], rounds = 1) {
  const server = await startNodeServer();
  const work = () => load(requests, { port: server.port, count: requests.length * rounds, connections: 1 });
  return profile(["--pid", `${server.pid}`, ...args], work);
}

test("slow, 4xx and 5xx are sampled by default rule, each once with its reasons", async () => {
  const requests = [{ path: "/hello" }, { path: "/slow/60" }, { path: "/status/418" }, { path: "/status/502" }];
  const { samples } = await sample(["--slow", "50ms", "--4xx", "--5xx"], requests);
  expect(samples.map(({ request, reasons }) => [request.uri, reasons])).toEqual([
    ["/slow/60", ["slow"]],
    ["/status/418", ["4xx"]],
    ["/status/502", ["5xx"]],
  ]);
  expect(samples[0]!.durationMs).toBeGreaterThanOrEqual(59);
});

test("the first rule that matches wins; the rest falls to the default rule", async () => {
  const requests = [{ path: "/status/404?a" }, { path: "/status/500" }, { path: "/slow/40" }, { path: "/nowhere" }];
  const rules = ["--slow", "1h", "--uri-regex", "^/status/", "--5xx", "--uri-regex", "^/s", "--slow", "30"];
  const { samples } = await sample(rules, requests);
  expect(samples.map(({ request, rule }) => [request.uri, rule])).toEqual([
    ["/status/500", "^/status/"],
    ["/slow/40", "^/s"],
  ]);
});

test("raw data: what was sent, with secrets redacted", async () => {
  const headers = { authorization: "Bearer hush", cookie: "id=hush", "x-plain": "open" };
  const requests = [{ path: "/status/500?token=hush&page=2", headers, method: "POST", body: '{"a":1}' }];
  const { samples, lines } = await sample(["--5xx"], requests);
  const [{ request, response }] = samples as [(typeof samples)[0]];
  expect(request).toMatchObject({
    method: "POST",
    uri: "/status/500?token=[redacted]&page=2",
    body: '{"a":1}',
    bodyBytes: 7,
  });
  expect(Object.fromEntries(request.headers)).toMatchObject({
    authorization: "[redacted]",
    cookie: "[redacted]",
    "x-plain": "open",
  });
  expect(response).toMatchObject({ status: 500, reason: "Internal Server Error" });
  expect(JSON.stringify(lines)).not.toContain("hush");
  const shown = await sample(["--5xx", "--show-secrets"], requests);
  expect(JSON.stringify(shown.samples)).toContain("Bearer hush");
});

test("the size limit covers headers and body together and says that it cut", async () => {
  const requests = [{ path: "/status/500", method: "POST", body: "b".repeat(5000) }];
  const { samples } = await sample(["--5xx", "--max-request-size", "500"], requests);
  const { request } = samples[0]!;
  expect(request.truncated).toBe(true);
  expect(request.headerBytes + request.body.length).toBe(500);
  expect(request.bodyBytes).toBe(5000);
});

test("--top keeps the slowest exactly", async () => {
  const requests = [70, 30, 90, 50, 110, 40].map((ms) => ({ path: `/slow/${ms}` }));
  const { summary } = await sample(["--slow", "20ms", "--top", "3"], requests);
  expect(summary.top.slow.map(({ request }) => request.uri)).toEqual(["/slow/110", "/slow/90", "/slow/70"]);
});

test("--max-samples-per-second holds back and counts", async () => {
  const { samples, summary } = await sample(["--4xx", "--max-samples-per-second", "5"], [{ path: "/nowhere" }], 200);
  expect(samples.length).toBeGreaterThanOrEqual(5);
  expect(samples.length).toBeLessThan(50);
  expect(summary.samplesHeldBack).toBe(200 - samples.length);
});

test("--trace-id follows one trace, and its events tell of the socket calls", async () => {
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
  const requests = [{ path: "/nowhere" }, { path: "/chunked/5", headers: { traceparent } }];
  const { samples, summary } = await sample(["--trace-id", traceId.slice(16)], requests);
  expect(samples.map(({ request, reasons }) => [request.uri, reasons])).toEqual([["/chunked/5", ["trace"]]]);
  expect(summary.top.trace).toHaveLength(1);
  const [, answered, ...calls] = samples[0]!.events;
  const written = calls.filter(({ tags }) => tags.data_type === "response");
  // Node writes what it has at once: the head with the first part, then part by part.
  expect(answered!.summary.call_count).toBe(written.length);
  expect(written.length).toBeGreaterThanOrEqual(5);
  expect(written.reduce((sum, { summary: { data_size } }) => sum + data_size!, 0)).toBe(samples[0]!.response.bytes);
  expect(
    calls.every(({ name, tags }) => /^Syscall (Read|Write|Writev)$/.test(name) && Number(tags.thread_id) > 0),
  ).toBe(true);
  expect(written.every(({ summary: { retransmits } }) => retransmits === 0)).toBe(true);
});

test("trace contexts, and --only-traced", async () => {
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
  const requests = [{ path: "/nowhere" }, { path: "/nowhere", headers: { traceparent } }];
  const { samples } = await sample(["--4xx", "--only-traced"], requests);
  expect(samples.map(({ trace }) => trace)).toMatchObject([
    { system: "w3c", traceId, spanId: "b7ad6b7169203331", sampled: true },
  ]);
});
