/** The BPF object of l7prof until it runs: which file, what it is told, which of its programs this kernel gets. */
import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { LAYOUT, SIZES } from "../core/record-layout.ts";
import { UserError } from "../errors.ts";
import { BELL_BYTES } from "./bell.ts";
import { chooseDropProgram } from "./drops.ts";
import { hasMultiUprobes, isKernelAtLeast } from "./kernel-version.ts";
import { libbpf } from "./libbpf.ts";
import type { Pointer } from "./system-error.ts";
import { chooseTraceEvents } from "./trace-events.ts";
import { chooseUringPrograms } from "./uring.ts";

/** What the kernel side filters by; the limits are those of bpf/events.h. */
export interface ProbeOptions {
  readonly isAll: boolean;
  readonly isFollowing: boolean;
  readonly comms: readonly string[];
  readonly ports: readonly number[];
  /** File descriptors of cgroup v2 directories. */
  readonly cgroupFds: readonly number[];
  readonly ringBytes: number;
  /** Of each message, head and body together, the kernel copies this much even where lengths would do. */
  readonly keepBytes: number;
  /** TLS libraries will be probed. */
  readonly isReadingTls: boolean;
  /** When each call began is noted. */
  readonly isTimingCalls: boolean;
  /** Dropped packets are told of, if the kernel says why. */
  readonly isSeeingDrops: boolean;
  /** libbpf's own messages, the verifier's log among them, go to stderr. */
  readonly isVerbose: boolean;
}

export function objectPath(object: "l7prof" | "tls"): string {
  const machine = { x64: "x86_64", arm64: "arm64" }[process.arch as string];
  const path = fileURLToPath(new URL(`../../bpf/prebuilt/${object}.${machine}.bpf.o`, import.meta.url));
  if (machine === undefined || !existsSync(path)) {
    throw new UserError("no-object", `l7prof has no BPF object for ${process.arch}`, "it runs on x86_64 and arm64");
  }
  return path;
}

/** What was chosen for this kernel. */
export interface Choice {
  readonly readsUring: boolean;
  /** What is attached to trace events, which have these numbers. */
  readonly traceEvents: ReadonlyMap<string, number>;
}

export function configureObject(object: Pointer, options: ProbeOptions): Choice {
  const bpf = libbpf();
  writeConfig(object, options);
  bpf.setMaxEntries(bpf.findMap(object, "events"), options.ringBytes);
  bpf.setMaxEntries(bpf.findMap(object, "bell"), BELL_BYTES);
  bpf.setMaxEntries(bpf.findMap(object, "scratches"), bpf.possibleCpus());
  if (!options.isReadingTls) for (const map of TLS_MAPS) bpf.setMaxEntries(bpf.findMap(object, map), 1);
  bpf.setAutoload(bpf.findProgram(object, "l7p_sys_enter"), options.isTimingCalls);
  if (!options.isTimingCalls) bpf.setMaxEntries(bpf.findMap(object, "call_starts"), 1);
  chooseDropProgram(object, options.isSeeingDrops);
  const readsUring = chooseUringPrograms(object);
  return { readsUring, traceEvents: chooseTraceEvents(object) };
}

const TLS_MAPS = ["tls_threads", "tls_sessions"];

/** The constants that the verifier sees: the same in each object that shares the maps. */
export function writeConfig(object: Pointer, options: ProbeOptions): void {
  const bpf = libbpf();
  const view = new DataView(bpf.initialValue(bpf.findMap(object, ".rodata")), 0, SIZES.config);
  const { config } = LAYOUT;
  view.setUint32(config.self_pid[0], process.pid, true);
  view.setUint32(config.pid_namespace[0], pidNamespace(), true);
  view.setUint8(config.is_all[0], Number(options.isAll));
  view.setUint8(config.has_casts[0], Number(isKernelAtLeast(6, 2)));
  view.setUint8(config.has_iterators[0], Number(isKernelAtLeast(6, 4)));
  view.setUint8(config.is_reading_tls[0], Number(options.isReadingTls));
  view.setUint8(config.is_timing_calls[0], Number(options.isTimingCalls));
  view.setUint32(config.has_cookies[0], Number(hasMultiUprobes()), true);
  view.setUint32(config.tls_slots[0], tlsSlots(), true);
  view.setUint8(config.is_following[0], Number(options.isFollowing));
  view.setUint8(config.cgroup_count[0], options.cgroupFds.length);
  view.setUint8(config.comm_count[0], options.comms.length);
  view.setUint32(config.keep_bytes[0], options.keepBytes, true);
  view.setUint32(config.port_count[0], options.ports.length, true);
  for (const [i, port] of options.ports.entries()) view.setUint16(config.ports[0] + 2 * i, port, true);
  for (const [i, comm] of options.comms.entries()) {
    const bytes = Buffer.from(comm).subarray(0, 15);
    for (const [j, byte] of bytes.entries()) view.setUint8(config.comms[0] + 16 * i + j, byte);
  }
}

/** bpf/tls-scratch.bpf.h: SCRATCHES_OF_CPU, COMMON_SCRATCHES. */
export function tlsSlots(): number {
  return 2 * libbpf().possibleCpus() + 32;
}

/** PROC_PID_INIT_INO (include/linux/proc_ns.h). */
const INITIAL_PID_NAMESPACE = 0xefff_fffc;

/** 0 for the initial one: then the kernel's numbers are ours. */
function pidNamespace(): number {
  const { ino } = statSync("/proc/self/ns/pid");
  return ino === INITIAL_PID_NAMESPACE ? 0 : ino;
}
