/** SkyWalking and an OTLP receiver that go away in mid-run and come back: nothing is lost but what the word at the end says. */
import { expect, test } from "vitest";
import { startOtlpReceiver, startSkywalking } from "../support/backends.ts";
import { startL7prof } from "../support/l7prof.ts";
import { load } from "../support/load.ts";
import { startNodeServer } from "../support/servers.ts";
import { until } from "../support/until.ts";

const traced = (number: number) => ({
  path: "/hello",
  headers: { b3: `463ac35c9f6413ad48485a3953bb6124-${String(number).padStart(16, "0")}-1` },
});

test("both are down for a while", async () => {
  const server = await startNodeServer();
  const [otlp, skywalking] = [await startOtlpReceiver(), await startSkywalking()];
  const run = await startL7prof([
    ...["--pid", `${server.pid}`, "--slow", "0", "--max-samples-per-second", "10000"],
    ...["--otlp", otlp.url, "--skywalking", `127.0.0.1:${skywalking.port}`],
  ]);
  let number = 0;
  const send = (count: number) =>
    load(
      Array.from({ length: count }, () => traced(++number)),
      { port: server.port, count },
    );
  await send(29);
  await until("the first are there", () => otlp.spans.length === 29 && skywalking.events.length > 0);
  await Promise.all([otlp.close(), skywalking.close()]);
  await send(31);
  await run.waitFor(
    ({ type, ...line }) => type === "warning" && /--otlp.*trying again/.test((line as { message: string }).message),
    20_000,
  );
  const [otlpBack, skywalkingBack] = [await startOtlpReceiver(otlp.port), await startSkywalking(skywalking.port)];
  await send(37);
  const { stderr, samples } = await run.finish();
  expect(samples).toHaveLength(97);
  const ids = new Set([...otlp.spans, ...otlpBack.spans].map(({ span }) => span.spanId));
  expect(ids.size).toBe(97);
  expect(stderr).toMatch(/--otlp .*: 97 spans and \d+ metric exports\n/);
  const events = samples.reduce((sum, sample) => sum + sample.events.length, 0);
  expect(stderr).toContain(`: ${events} events\n`);
  const spans = new Set(
    [...skywalking.events, ...skywalkingBack.events].map(({ traceContext }) => traceContext.spanId),
  );
  expect(spans.size).toBe(97);
  const counted = otlpBack.metrics.get("node http.server.request.duration").histogram.dataPoints;
  expect(counted.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(97);
});
