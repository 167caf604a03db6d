/** The exports: whatever came over the wire, what they write is what its readers take it for. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { Meter } from "../../src/core/meter.ts";
import type { Sample } from "../../src/core/profile/sample.ts";
import type { Capture } from "../../src/core/profile/window.ts";
import { openCurl } from "../../src/export/curl.ts";
import type { Exporter } from "../../src/export/exporter.ts";
import { exportView } from "../../src/export/exports.ts";
import { openHar } from "../../src/export/har.ts";
import { Resources } from "../../src/export/otlp-resource.ts";
import { spanOf } from "../../src/export/otlp-span.ts";
import { openPcap } from "../../src/export/pcap.ts";
import { BUCKETS, MetricsPage } from "../../src/export/prometheus-page.ts";
import { attachedEvents } from "../../src/export/skywalking.ts";
import { openZipkin } from "../../src/export/zipkin.ts";
import { curlCommand } from "../../src/tui/curl.ts";
import { MEMORY, record } from "../recording/session.ts";
import { checkHar, checkPackets, checkSpans } from "./export-formats.ts";
import { ACTS_ON_A_TERMINAL } from "./profile.ts";
import { check, type Fuzzed, same } from "./property.ts";
import { play, type Script, script } from "./script.ts";
import { curlCalls } from "./shell.ts";

/** `--pcap` makes samples keep what it needs; the file is not opened. */
const FLAGS = "--json --interval 0 --slow 0 --max-samples-per-second 100000 --pcap unused";
const flags = fc.constantFrom("", "--show-secrets", "--keep none", "--max-request-size 30 --max-response-size 30");

export const har: Fuzzed = {
  name: "exports: --har is HAR, of each sample",
  testRuns: 60,
  property: () =>
    fc.asyncProperty(script, flags, async (script, flags) => {
      const { text, samples } = await exported(script, flags, openHar);
      checkHar(text.toString(), samples);
    }),
};

export const pcap: Fuzzed = {
  name: "exports: --pcap is pcapng, block by block, with the bytes that went over the connections",
  testRuns: 60,
  property: () =>
    fc.asyncProperty(script, flags, async (script, flags) => {
      const { text } = await exported(script, flags, openPcap);
      checkPackets(text);
    }),
};

export const spans: Fuzzed = {
  name: "exports: spans for Zipkin, OpenTelemetry and SkyWalking have ids and times as these want them",
  testRuns: 60,
  property: () =>
    fc.asyncProperty(script, flags, async (script, flags) => {
      const { text, samples } = await exported(script, flags, (file, trouble) => openZipkin(file, true, trouble));
      const resources = new Resources();
      const otlp = samples.map((sample) => {
        const { spanContext, ...span } = spanOf(sample, resources);
        return { ...span, ...spanContext() };
      });
      checkSpans(JSON.parse(text.toString()), otlp, samples.flatMap(attachedEvents));
    }),
};

export const shellScript: Fuzzed = {
  name: "exports: --curl sends what was sampled, and runs nothing else",
  testRuns: 25,
  property: () =>
    fc.asyncProperty(script, flags, async (script, flags) => {
      const { text, samples } = await exported(script, flags, openCurl);
      const uris = curlCalls(text).map((words) => words[words.indexOf("--request-target") + 1]);
      const isSent = ({ request }: Sample) =>
        request.headers.length > 0 && !request.truncated && request.method !== "CONNECT";
      same(
        uris,
        samples.filter(isSent).map(({ request }) => request.uri),
        "sent, sampled",
      );
    }),
};

export const pasted: Fuzzed = {
  name: "screen: a request as a command line acts on no terminal, and is one call of curl",
  testRuns: 25,
  property: () =>
    fc.asyncProperty(script, flags, async (script, flags) => {
      const commands = (await samplesOf(script, flags)).map(curlCommand);
      for (const command of commands) same(ACTS_ON_A_TERMINAL.exec(command)?.[0] ?? null, null, "acts on a terminal:");
      const calls = curlCalls(Buffer.from(commands.map((command) => `${command}\n`).join("")));
      same(calls.length, commands.length, "calls, commands");
    }),
};

/** https://prometheus.io/docs/instrumenting/exposition_formats/ */
const EXPOSITION_LINE =
  /^(# (HELP|TYPE) .*|# EOF|[a-z0-9_]+(\{([a-z_]+="([^"\\\n]|\\["\\n])*",?)*\})? [-+0-9.eNaInf]+)$/;

export const prometheus: Fuzzed = {
  name: "exports: the page for Prometheus is in its format, and counts every exchange",
  testRuns: 60,
  property: () =>
    fc.asyncProperty(script, flags, fc.boolean(), async (script, flags, isOpenMetrics) => {
      const meter = new Meter(BUCKETS);
      let capture: Capture | null = null;
      run(script, flags, {
        ...NOTHING,
        exchange: (edge, exchange) => meter.record(edge, exchange),
        summary: (summary) => {
          capture = summary.capture;
        },
      });
      const { text } = await new MetricsPage(meter, () => capture).text(isOpenMetrics);
      for (const line of text.split("\n").filter(Boolean)) check(EXPOSITION_LINE.test(line), "not a line of it:", line);
      const counts = [...text.matchAll(/^http_(?:server|client)_request_duration_seconds_count\{.*\} (\d+)$/gm)];
      const counted = counts.reduce((sum, [, count]) => sum + Number(count), 0);
      same(counted, capture!.exchanges, "counted, exchanges");
    }),
};

const NOTHING: Exporter = { name: "", end: async () => ({ what: "", sent: 0, givenUp: 0, why: "" }) };

/** What the export wrote to its file, and what it was given. */
async function exported(
  script: Script,
  flags: string,
  open: (file: string, trouble: (message: string) => void) => Exporter,
): Promise<{ text: Buffer; samples: readonly Sample[] }> {
  const directory = mkdtempSync(join(MEMORY, "l7prof-"));
  try {
    const file = join(directory, "out");
    const exporter = open(file, (message) => check(false, message));
    const samples: Sample[] = [];
    run(script, flags, exporter, { ...NOTHING, sample: (sample) => void samples.push(sample) });
    await exporter.end();
    same(readdirSync(directory), ["out"], "files");
    return { text: readFileSync(file), samples };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function samplesOf(script: Script, flags: string): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  run(script, flags, { ...NOTHING, sample: (sample) => void samples.push(sample) });
  return samples;
}

/** What an exporter throws is a warning to the run, and a finding here. */
function run(script: Script, flags: string, ...exporters: readonly Exporter[]): void {
  const view = exportView(exporters, { isReplay: false, tell: () => {}, warn: (message) => check(false, message) });
  record(({ wire }) => play(wire, script), `${FLAGS} ${flags}`, true, view);
}
