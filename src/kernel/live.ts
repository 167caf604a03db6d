/** The kernel as a source of records: loads the probe, follows the targets, and drains the ring until told to stop. */
import { closeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config, TargetConfig } from "../config.ts";
import type { RecordCursor } from "../core/decode.ts";
import type { PassedStretch } from "../core/lifecycle.ts";
import type { Place } from "../core/profile/parties.ts";
import type { Target } from "../core/profile/start.ts";
import type { Ended } from "../core/profile/window.ts";
import { CONNECTION_IGNORED } from "../core/record-layout.ts";
import type { Source, SourceReader } from "../source.ts";
import { AwaitedProcesses } from "./awaited.ts";
import { placeOfProcess } from "./containers.ts";
import { dropReasons, whyNoDrops } from "./drops.ts";
import { libbpf } from "./libbpf.ts";
import { goFirst } from "./priority.ts";
import { Probe } from "./probe.ts";
import type { ProbeOptions } from "./probe-object.ts";
import { commOf } from "./processes.ts";
import { SystemError } from "./system-error.ts";
import { findGroups } from "./target-groups.ts";
import { addProcesses, checkLimits, checkPids, describeTargets, openCgroups, processesOf } from "./targets.ts";
import { programOf } from "./tls/foreseen.ts";
import { TlsTracer } from "./tls/tracer.ts";

/** One turn reads at most this much, so that signals and timers are served under any load. */
const TURN_BYTES = 4 << 20;
/** How long a sleep may hold up a signal or a window. Each turn wakes a process that has gone cold. */
const SLEEP_MS = 100;
/** Under load it will ring soon, and is waited for without leaving the thread, so long at most. */
const BLOCK_MS = 10;
/** How often the kernel is asked whether it has left out runs of programs. */
const ASK_SKIPPED_NS = 1e9;
const SKIPPED_RUNS =
  "the kernel has left out runs of l7prof's programs, since others of them were preempted on the same CPU: counts may be too low";
/** News that come one after the other are looked at together. */
const NEWS_MS = 5;
/** Heads are longer than the sampling limits of a rule that keeps little. */
const MIN_KEEP_BYTES = 4096;

export function monotonicNs(): number {
  return Number(process.hrtime.bigint());
}

export class LiveSource implements Source {
  readonly targets: readonly Target[];
  readonly startNs: number;
  readonly startUs: number;
  private readonly probe: Probe;
  /** Null: TLS is not read. */
  private readonly tls: TlsTracer | null;
  private readonly whyNoTls: string;
  private readonly isSeeingDrops: boolean;
  private dropReasons: ReadonlyMap<number, string> | null = null;
  /** Null when there is no end to wait for. */
  private readonly awaited: AwaitedProcesses | null;
  private ended: Ended | null = null;
  private skippedAskedNs = 0;
  /** The kernel side has news: more may come at once. */
  private hasNews = false;

  /** `commandPid`: the program that `-- CMD` started, not yet running. @throws UserError */
  static async open(config: Config, commandPid: number | null): Promise<LiveSource> {
    goFirst(); // the program of -- CMD has begun as it was
    const { targets } = config;
    const groups = findGroups(targets);
    const cgroups = [...targets.cgroups, ...groups.cgroups];
    checkLimits({ ...targets, cgroups });
    const named = [...checkPids(targets.pids), ...(commandPid === null ? [] : [commandPid])];
    const cgroupFds = openCgroups(cgroups);
    try {
      const probe = await Probe.load(probeOptions(config, cgroupFds));
      return new LiveSource(
        probe,
        await openTls(config, probe),
        { ...targets, cgroups },
        [...named, ...groups.pids],
        describeTargets(targets, named),
        config.view.tcp,
      );
    } finally {
      for (const fd of cgroupFds) closeSync(fd);
    }
  }

  private constructor(
    probe: Probe,
    tls: TlsTracer | string,
    targets: TargetConfig,
    pids: readonly number[],
    described: readonly Target[],
    isSeeingDrops: boolean,
  ) {
    this.isSeeingDrops = isSeeingDrops;
    this.probe = probe;
    this.tls = typeof tls === "string" ? null : tls;
    this.whyNoTls = typeof tls === "string" ? tls : "";
    this.probe.attach();
    const added = addProcesses(this.probe, targets, pids);
    this.tls?.scanFirst([...processesOf(targets, added)]);
    libbpf().trimMemory();
    this.targets = described;
    const isEndless = targets.all || targets.comms.length > 0 || targets.cgroups.length > 0;
    this.awaited = isEndless ? null : new AwaitedProcesses(added);
    this.startNs = monotonicNs();
    this.startUs = Date.now() * 1000;
  }

  async run(reader: SourceReader): Promise<{ ended: Ended; endNs: number }> {
    const onRecord = (record: RecordCursor) => {
      this.awaited?.notice(record);
      this.tls?.notice(record);
      reader.onRecord(record);
    };
    const onRelease = () => reader.onRelease();
    const noDrops = this.isSeeingDrops ? whyNoDrops() : null;
    if (noDrops !== null) reader.onWarning("drops", `--tcp shows no drops: ${noDrops}`);
    for (let isLast = false; ; ) {
      const nowNs = monotonicNs(); // what was told by then is read before anything is judged by the clock
      const bytes = this.probe.ring.drain(onRecord, onRelease, TURN_BYTES);
      for (const { code, message } of this.tls?.update() ?? []) reader.onWarning(code, message);
      const { lost } = this.probe;
      reader.onLost(lost.events, lost.bytes);
      this.warnOfSkippedRuns(nowNs, isLast, reader);
      reader.onTick(nowNs);
      if (this.awaited?.haveEnded()) this.stop("target-exited");
      if (isLast && this.probe.ring.isEmpty) break;
      if (this.ended !== null && !isLast) {
        this.probe.detach();
        isLast = true;
      }
      await this.pause(bytes, isLast);
    }
    return { ended: this.ended ?? "signal", endNs: monotonicNs() };
  }

  /** Once; how much is missing, the coverage says. */
  private warnOfSkippedRuns(nowNs: number, isLast: boolean, reader: SourceReader): void {
    if (nowNs < this.skippedAskedNs + (isLast ? 0 : ASK_SKIPPED_NS)) return;
    this.skippedAskedNs = nowNs;
    if (this.probe.skippedRuns === 0) return;
    this.skippedAskedNs = Number.POSITIVE_INFINITY;
    reader.onWarning("skipped-runs", SKIPPED_RUNS);
  }

  stop(ended: Ended): void {
    this.ended ??= ended;
  }

  ignore(connection: { readonly socket: bigint; readonly id: number; readonly pid: number }): void {
    this.probe.ignore(connection, CONNECTION_IGNORED);
  }

  pass(stretch: PassedStretch): void {
    this.probe.pass(stretch);
  }

  nameOf(pid: number): string {
    return commOf(pid);
  }

  placeOf(pid: number): Place {
    return placeOfProcess(pid);
  }

  progress(): null {
    return null;
  }

  tlsLibraryOf(pid: number): string {
    return this.tls === null ? this.whyNoTls : this.tls.libraryOf(pid);
  }

  dropReasonOf(reason: number): string {
    this.dropReasons ??= dropReasons();
    return this.dropReasons.get(reason) ?? "";
  }

  async close(): Promise<void> {
    await this.tls?.close();
    this.probe.close();
  }

  private async pause(bytes: number, isLast: boolean): Promise<void> {
    const { bell } = this.probe;
    if (isLast || bytes >= TURN_BYTES) {
      await new Promise(setImmediate);
    } else if (bytes >= bell.markBytes) {
      await new Promise(setImmediate);
      this.hasNews = bell.block(BLOCK_MS);
    } else if (this.hasNews) {
      this.hasNews = false;
      await sleep(NEWS_MS);
    } else {
      this.hasNews = await bell.wait(SLEEP_MS);
    }
  }
}

/** Else in words, why TLS is not read. */
async function openTls({ isReadingTls, targets, command }: Config, probe: Probe): Promise<TlsTracer | string> {
  if (!isReadingTls) return "not looked at: --tls off";
  const tls = await TlsTracer.open(probe).catch((error) => {
    if (error instanceof SystemError) return `the kernel takes no programs for uprobes (${error.message})`;
    throw error;
  });
  if (typeof tls === "string") return tls;
  const isAwaitingPrograms = targets.all || targets.comms.length > 0 || targets.cgroups.length > 0 || command !== null;
  if (isAwaitingPrograms) tls.prepare([process.pid], command === null ? [] : programOf(command));
  return tls;
}

function probeOptions(
  { targets, ringBytes, rules, isReadingTls, isTimingCalls, view, debug }: Config,
  cgroupFds: readonly number[],
): ProbeOptions {
  return {
    isAll: targets.all,
    isFollowing: targets.follow,
    comms: targets.comms,
    ports: targets.ports,
    cgroupFds,
    ringBytes,
    keepBytes: Math.max(MIN_KEEP_BYTES, ...rules.flatMap((rule) => [rule.maxRequestBytes, rule.maxResponseBytes])),
    isReadingTls,
    isTimingCalls,
    isSeeingDrops: view.tcp,
    isVerbose: debug,
  };
}
