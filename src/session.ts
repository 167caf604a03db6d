/** One run: feeds the records to the profiler, and at the right times its profiles to the view. */
import { Clock } from "./clock.ts";
import { type Config, isExporting } from "./config.ts";
import type { RecordCursor } from "./core/decode.ts";
import type { Focus } from "./core/overview.ts";
import type { Metrics } from "./core/profile/figures.ts";
import type { Start } from "./core/profile/start.ts";
import type { Ended, Total } from "./core/profile/window.ts";
import { Profiler } from "./core/profiler.ts";
import { createRouter } from "./core/route.ts";
import { compileRules } from "./core/rules.ts";
import { Recorder } from "./recording/recorder.ts";
import type { RecordingWriter } from "./recording/writer.ts";
import type { Progress, Source, SourceReader } from "./source.ts";
import type { Run, View } from "./view.ts";

const NS_PER_MS = 1e6;
/** An hour, at the default interval. */
const MAX_IDLE_WINDOWS = 3600;

export class Session implements SourceReader, Run {
  private readonly config: Config;
  private readonly source: Source;
  private readonly view: View;
  private readonly profiler: Profiler;
  private windowStartNs: number;
  /** Where the total of the screen begins. */
  private totalStartNs: number;
  private intervalMs: number;
  private nowNs: number;
  private lostWarned = 0;
  private isCoverageWarned = false;
  private readonly maxExchanges: number;
  private readonly recorder: Recorder;
  private readonly clock: Clock;

  /** `hostOf`: the name of an address, null as long as none is known. */
  constructor(
    config: Config,
    source: Source,
    view: View,
    recording: RecordingWriter | null,
    hostOf: (address: string) => string | null,
  ) {
    this.config = config;
    this.source = source;
    this.view = view;
    this.recorder = new Recorder(source, recording);
    this.clock = new Clock(source);
    this.maxExchanges = config.count ?? Number.POSITIVE_INFINITY;
    this.windowStartNs = source.startNs;
    this.totalStartNs = source.startNs;
    this.intervalMs = config.view.intervalMs;
    this.nowNs = source.startNs;
    // `--interval 0`: the summary alone.
    const isSilent = config.view.format === "text" && config.view.intervalMs === 0 && !isExporting(config.exports);
    this.profiler = new Profiler(
      {
        ...config,
        ...config.view,
        startNs: source.startNs,
        maxSamplesPerSecond: isSilent ? 0 : config.maxSamplesPerSecond,
        groupBy: config.view.groupBy === "host" || config.view.groupBy === "status" ? config.view.groupBy : null,
        matchRule: compileRules(config.rules).match,
        route: createRouter(config.routes),
        maxEndpoints: config.routes.maxEndpoints,
        mergesEndpoints: config.live,
        keepsWire: config.exports.pcapFile !== null,
        toEpochUs: (ns) => this.clock.epochUs(ns),
        toInstant: (ns) => this.clock.instant(ns),
      },
      {
        onSample: (sample) => view.sample(sample),
        onExchange: view.exchange,
        onWarning: (code, message, timeNs) => this.warn(code, message, timeNs),
        onIgnore: (connection) => this.source.ignore(connection),
        onPass: (stretch) => this.source.pass(stretch),
        nameOf: (pid) => this.recorder.nameOf(pid),
        placeOf: (pid) => this.recorder.placeOf(pid),
        hostOf,
        tlsLibraryOf: (pid) => this.recorder.tlsLibraryOf(pid),
        dropReasonOf: (reason) => this.recorder.dropReasonOf(reason),
      },
    );
  }

  start(start: Omit<Start, "timeUs">): void {
    this.view.start({ timeUs: this.source.startUs, ...start }, this);
  }

  onRecord(record: RecordCursor): void {
    const { counters } = this.profiler;
    if (counters.exchanges >= this.maxExchanges) return;
    this.profiler.receive(record);
    this.recorder.record(record); // after the names it asked for
    if (counters.exchanges >= this.maxExchanges) this.source.stop("count");
  }

  onRelease(): void {
    this.profiler.releaseRecords();
  }

  /** Of what the source alone knows: no record tells of it. */
  onWarning(code: string, message: string, timeNs = this.nowNs): void {
    this.recorder.warning(code, message, timeNs);
    this.warn(code, message, timeNs);
  }

  onLost(events: number, bytes: number): void {
    this.recorder.lost(events, bytes);
    this.profiler.counters.lostEvents = events;
    this.profiler.counters.lostBytes = bytes;
  }

  onTick(nowNs: number): void {
    const { durationMs } = this.config;
    this.nowNs = nowNs;
    this.profiler.tick(nowNs);
    const windowNs = this.intervalMs * NS_PER_MS;
    while (windowNs > 0 && nowNs - this.windowStartNs >= windowNs) {
      this.endWindow(this.windowEndNs(nowNs, windowNs));
      this.skipIdle(nowNs, windowNs);
    }
    if (durationMs !== null && nowNs - this.source.startNs >= durationMs * NS_PER_MS) this.source.stop("duration");
  }

  /** The summary, when the source has come to its end. */
  finish(ended: Ended, endNs: number): void {
    this.profiler.finish(endNs);
    this.warnOfLoss(endNs);
    this.windowStartNs = endNs;
    this.totalStartNs = this.source.startNs;
    const windowMs = (endNs - this.source.startNs) / NS_PER_MS;
    this.view.summary({ ...this.profiler.total(this.clock.epochUs(endNs), windowMs), ended });
    this.recorder.end(ended, endNs);
  }

  total(): Total {
    return this.profiler.soFar(this.clock.epochUs(this.windowStartNs), this.totalMs());
  }

  distributions(focus: Focus): Metrics {
    return this.profiler.distributions(focus, this.totalMs());
  }

  reset(): void {
    this.profiler.reset();
    this.totalStartNs = this.windowStartNs;
  }

  setIntervalMs(ms: number): void {
    this.intervalMs = ms;
  }

  progress(): Progress | null {
    return this.source.progress();
  }

  stop(): void {
    this.source.stop("signal");
  }

  private totalMs(): number {
    return (this.windowStartNs - this.totalStartNs) / NS_PER_MS;
  }

  private warn(code: string, message: string, timeNs: number): void {
    this.view.warning({ timeUs: this.clock.epochUs(timeNs), code, message });
  }

  /** A live window that comes late is as long as it took; of a recording each is exact, the empty ones too. */
  private windowEndNs(nowNs: number, windowNs: number): number {
    return this.config.replayFile === null ? nowNs : this.windowStartNs + windowNs;
  }

  /** A recording's time may lie years ahead, if it is damaged: most of the empty windows up to there are left out. */
  private skipIdle(nowNs: number, windowNs: number): void {
    const behind = Math.floor((nowNs - this.windowStartNs) / windowNs);
    if (behind > MAX_IDLE_WINDOWS) this.windowStartNs += (behind - MAX_IDLE_WINDOWS) * windowNs;
  }

  private endWindow(endNs: number): void {
    this.warnOfLoss(endNs);
    const windowMs = (endNs - this.windowStartNs) / NS_PER_MS;
    this.windowStartNs = endNs;
    this.view.window(this.profiler.endWindow(this.clock.epochUs(endNs), windowMs));
  }

  private warnOfLoss(timeNs: number): void {
    const { lostEvents, coverage } = this.profiler.counters;
    if (lostEvents > this.lostWarned) {
      const what = `${lostEvents - this.lostWarned} kernel events were lost, the ring buffer was full`;
      this.warn("lost-events", `${what}: counts are too low; give it more with --buffer-size`, timeNs);
      this.lostWarned = lostEvents;
    }
    if (coverage < 1 && !this.isCoverageWarned) {
      this.warn("coverage", "part of the HTTP traffic could not be read: the summary's counters say what", timeNs);
      this.isCoverageWarned = true;
    }
  }
}
