/** What was parsed → Config, with what depends on the terminal. */
import type { Config, ExportConfig, TargetConfig, ViewConfig } from "../config.ts";
import { canShowScreen, type Terminal, useColor } from "./color.ts";
import type { Parsed } from "./command-line.ts";
import type { Flags } from "./program.ts";

/** `command`: what stood after `--`. */
export function configOf(parsed: Parsed, command: readonly string[] | null, terminal: Terminal): Config {
  const { flags, rules, file } = parsed;
  return {
    targets: targetsOf(flags),
    command,
    replayFile: file,
    recordFile: flags.record ?? null,
    rules,
    topN: flags.top,
    maxSamplesPerSecond: flags.maxSamplesPerSecond,
    onlyTraced: flags.onlyTraced ?? false,
    traceId: flags.traceId ?? null,
    showSecrets: flags.showSecrets ?? false,
    routes: {
      rawUris: flags.rawUris ?? false,
      templates: flags.uriTemplate ?? [],
      maxEndpoints: flags.maxEndpoints,
    },
    view: viewOf(flags, terminal),
    exports: exportsOf(flags),
    live: canShowScreen(terminal) && isScreenWanted(flags) && command === null,
    durationMs: flags.duration ?? null,
    count: flags.count ?? null,
    ringBytes: flags.bufferSize,
    resolve: flags.resolve ?? false,
    isTimingCalls: isTimingCalls(flags),
    isReadingTls: flags.tls === "auto",
    debug: flags.debug ?? false,
  };
}

/** Backends of traces show it. */
function isTimingCalls({ callTimes, zipkin, skywalking, otlp }: Flags): boolean {
  return Boolean(callTimes ?? zipkin ?? skywalking ?? otlp);
}

function isScreenWanted(flags: Flags): boolean {
  return flags.output === undefined && !flags.plain && flags.interval > 0 && formatOf(flags) === "text";
}

function targetsOf(flags: Flags): TargetConfig {
  return {
    pids: [...new Set(flags.pid)],
    follow: flags.follow,
    cgroups: flags.cgroup ?? [],
    comms: flags.comm ?? [],
    containers: flags.container ?? [],
    pods: flags.pod ?? [],
    units: flags.unit ?? [],
    all: flags.all ?? false,
    ports: [...new Set(flags.port)],
  };
}

function formatOf({ json, topology, dot, mermaid }: Flags): ViewConfig["format"] {
  if (json) return "ndjson";
  if (topology) return "topology";
  if (dot) return "dot";
  return mermaid ? "mermaid" : "text";
}

function exportsOf(flags: Flags): ExportConfig {
  return {
    zipkin: flags.zipkin ?? null,
    zipkinUntraced: flags.zipkinUntraced ?? false,
    skywalking: flags.skywalking ?? null,
    otlp: flags.otlp ?? null,
    prometheus: flags.prometheus ?? null,
    harFile: flags.har ?? null,
    pcapFile: flags.pcap ?? null,
    curlFile: flags.curl ?? null,
  };
}

function viewOf(flags: Flags, terminal: Terminal): ViewConfig {
  return {
    format: formatOf(flags),
    outputFile: flags.output ?? null,
    intervalMs: flags.interval,
    groupBy: flags.groupBy,
    histograms: flags.histograms ?? false,
    tcp: flags.tcp ?? false,
    color: useColor(terminal, flags.color && flags.output === undefined && formatOf(flags) === "text"),
    columns: terminal.columns ?? 80,
  };
}
