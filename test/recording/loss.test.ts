/** Recordings of real servers and clients with a part of their records dropped: what is left is right. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Sample } from "../../src/core/profile/sample.ts";
import type { Capture } from "../../src/core/profile/window.ts";
import { LossySource } from "./lossy.ts";
import { lines, replayFile, summaryOf } from "./session.ts";

const directory = new URL("../fixtures/recordings/", import.meta.url);
const names = readdirSync(directory).flatMap((file) => (file.endsWith(".l7prof") ? [file.slice(0, -7)] : []));
const FLAGS = "--json --interval 0 --slow 0 --max-samples-per-second 1000000";
const SEEDS = Number(process.env.L7PROF_LOSS_SEEDS ?? 40);

async function replayLossy(name: string, share: number, seed: number) {
  const file = fileURLToPath(new URL(`${name}.l7prof`, directory));
  const sources: LossySource[] = [];
  const { output, error } = await replayFile(file, FLAGS, (path) => {
    const source = new LossySource(path, share, seed);
    sources.push(source);
    return source;
  });
  expect(error).toBeUndefined();
  const all = lines(output);
  return {
    dropped: sources[0]!.dropped,
    exchanges: all.filter(({ type }) => type === "sample").map((line) => exchangeOf(line as unknown as SampleLine)),
    warnings: all.filter(({ type }) => type === "warning").map(({ code }) => code),
    summary: summaryOf(output) as unknown as { capture: Capture; edges: { inFlight: number }[] },
  };
}

/**
 * All that an exchange says but for what a lost record held of its bodies. A response that ends with the connection
 * (RFC 9112, 6.3, or cut short) may show its end by the next record that tells of it.
 */
function exchangeOf({ side, process, request, response, ...sample }: SampleLine): string {
  const [asking] = sample.events;
  const asked = `${request.method} ${request.uri} ${request.bytes} ${request.headerBytes}`;
  const answered = `${response.status} ${response.bytes} ${response.headerBytes}`;
  const took = endsWithConnection({ request, response }) ? "" : `${sample.durationMs} ms`;
  return `${side} ${process.pid} ${asking.start} ${sample.ttfbMs} ms ${took}: ${asked} → ${answered}`;
}

type SampleLine = Sample & { events: [{ start: string }] };

function endsWithConnection({ request, response }: Pick<SampleLine, "request" | "response">): boolean {
  if (request.method === "HEAD" || response.status === 204 || response.status === 304) return false;
  const field = (wanted: string) => response.headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  const length = field("content-length");
  return length === undefined ? field("transfer-encoding") === undefined : response.bodyBytes < Number(length);
}

describe.each(names)("%s", (name) => {
  it.each([0.02, 0.1, 0.3])(
    "%d of the records lost: each exchange that is left is one that was",
    async (share) => {
      const whole = new Set((await replayLossy(name, 0, 0)).exchanges);
      let left = 0;
      for (let seed = 1; seed <= SEEDS; seed++) {
        const { dropped, exchanges, warnings, summary } = await replayLossy(name, share, seed);
        expect(
          exchanges.filter((exchange) => !whole.has(exchange)),
          `seed ${seed}`,
        ).toEqual([]);
        const { capture, edges } = summary;
        const waiting = edges.reduce((sum, { inFlight }) => sum + inFlight, 0);
        expect(capture.exchanges).toBe(exchanges.length);
        expect(capture.requests).toBe(capture.exchanges + capture.unansweredRequests + waiting);
        expect(capture.lostEvents).toBe(dropped);
        expect(capture.coverage < 1).toBe(dropped > 0);
        expect(warnings.includes("lost-events")).toBe(dropped > 0);
        left += exchanges.length;
      }
      expect(left).toBeGreaterThan(0);
    },
    600_000,
  );
});
