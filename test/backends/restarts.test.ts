/**
 * SkyWalking and an OTLP receiver, made from the official definitions, that are killed in mid-run and started again:
 * nothing is lost but what the word at the end says. (Zipkin's own server: zipkin.test.ts; Prometheus asks by itself.)
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { startChild } from "../support/child.ts";
import { type Run, startL7prof } from "../support/l7prof.ts";
import { load } from "../support/load.ts";
import { inRepo, temporaryDirectory } from "../support/paths.ts";
import { startNodeServer } from "../support/servers.ts";
import { until } from "../support/until.ts";

async function startBackend(kind: string, wantedPort = "0") {
  const file = join(temporaryDirectory(), "taken");
  const child = startChild("node", [inRepo("test/servers/backend.js"), kind, file, wantedPort]);
  const [, port = ""] = await child.line(/^ready (\d+)$/);
  return {
    port,
    /** The ID of the span of each thing that it has taken. */
    taken: () => (existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : []),
    kill: () => child.stop("SIGKILL"),
  };
}

/** Each request is of a span of its own. */
async function startTraced(kind: string, port: string) {
  const server = await startNodeServer();
  const place = kind === "otlp" ? `http://127.0.0.1:${port}` : `127.0.0.1:${port}`;
  const options = ["--pid", `${server.pid}`, "--slow", "0", "--max-samples-per-second", "10000"];
  const run = await startL7prof([...options, `--${kind}`, place]);
  let number = 0;
  const traced = () => ({
    path: "/hello",
    headers: { b3: `463ac35c9f6413ad48485a3953bb6124-${String(++number).padStart(16, "0")}-1` },
  });
  const send = (count: number) => load(Array.from({ length: count }, traced), { port: server.port, count });
  return { run, send };
}

const untilTrouble = (run: Run) =>
  run.waitFor(
    ({ type, ...line }) => type === "warning" && /trying again/.test((line as { message: string }).message),
    20_000,
  );

/** What it says became of its things. */
function told(kind: string, stderr: string): { sent: number; lost: number } {
  const [, sent, , lost = "0"] = new RegExp(`--${kind} .*: (\\d+) (?:spans|events)(.*?, (\\d+)[^,]* LOST)?`).exec(
    stderr,
  )!;
  return { sent: Number(sent), lost: Number(lost) };
}

describe.each(["otlp", "skywalking"])("%s", (kind) => {
  test("killed under load and started again: all of it arrives", async () => {
    const first = await startBackend(kind);
    const { run, send } = await startTraced(kind, first.port);
    const sending = send(1009);
    await until("it has taken some", () => first.taken().length > 100, 20_000);
    await first.kill();
    await sending;
    await send(31);
    await untilTrouble(run);
    const second = await startBackend(kind, first.port);
    await send(37);
    const { stderr, samples } = await run.finish();
    expect(samples).toHaveLength(1077);
    const events = samples.reduce((sum, sample) => sum + sample.events.length, 0);
    expect(told(kind, stderr)).toEqual({ sent: kind === "otlp" ? 1077 : events, lost: 0 });
    const arrived = [...first.taken(), ...second.taken()];
    expect(second.taken().length).toBeGreaterThan(0);
    expect(new Set(arrived).size).toBe(1077);
    // What was under way when it was killed may have come twice.
    expect(arrived.length).toBeGreaterThanOrEqual(told(kind, stderr).sent);
  });

  test("killed for good: the counter says what is missing", async () => {
    const backend = await startBackend(kind);
    const { run, send } = await startTraced(kind, backend.port);
    await send(211);
    await until("all is there", () => new Set(backend.taken()).size === 211, 20_000);
    await sleep(500); // so that l7prof knows, too
    const before = backend.taken().length;
    await backend.kill();
    await send(41);
    await untilTrouble(run);
    const { stderr, samples } = await run.finish();
    const total = kind === "otlp" ? 252 : samples.reduce((sum, sample) => sum + sample.events.length, 0);
    expect(told(kind, stderr)).toEqual({ sent: before, lost: total - before });
    expect(backend.taken()).toHaveLength(before);
  });
});
