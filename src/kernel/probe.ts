/** The BPF object of l7prof: open → configure → load → attach → close. */
import { existsSync, statSync } from "node:fs";
import { release } from "node:os";
import { fileURLToPath } from "node:url";
import { firstSession } from "../core/decode.ts";
import type { PassedStretch } from "../core/lifecycle.ts";
import { LAYOUT, MAX_PIDS, SIZES } from "../core/record-layout.ts";
import { UserError } from "../errors.ts";
import { chooseDropProgram } from "./drops.ts";
import { libbpf, type Mapping, type Pointer, SystemError } from "./libbpf.ts";
import { learnOwners, OWNERS_PROGRAM } from "./owners.ts";
import { RingBuffer } from "./ring-buffer.ts";
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

const BPF_ANY = 0;
const BPF_EXIST = 2;
/** A page: the kernel maps no less. */
const GLOBALS_BYTES = 4096;

export class Probe {
  readonly ring: RingBuffer;
  private readonly options: ProbeOptions;
  /** The kernel has the tracepoints of io_uring that it takes. */
  readonly readsUring: boolean;
  private readonly object: Pointer;
  private readonly links: Pointer[] = [];
  private readonly connectionsFd: number;
  private readonly passedFd: number;
  private readonly eventsFd: number;
  /** The kernel side's global variables. */
  private readonly globals: Mapping;
  private readonly lostCounters: BigUint64Array;
  private readonly isAsleep: BigUint64Array;
  private readonly isEnding: BigUint64Array;
  private readonly isAttaching: BigUint64Array;
  /** A byte for each process id. */
  private readonly targets: Mapping;
  private readonly isTarget: Uint8Array;

  /**
   * Loads the programs; nothing is attached yet. The verifier takes its time on another thread.
   * @throws UserError when the kernel refuses.
   */
  static async load(options: ProbeOptions): Promise<Probe> {
    const bpf = libbpf();
    if (!options.isVerbose) bpf.setPrint(null);
    const object = orUserError(() => bpf.openObject(objectPath("l7prof"), null));
    try {
      const readsUring = configureObject(object, options);
      await bpf.loadObject(object).catch(rethrowAsUserError);
      return new Probe(object, options, readsUring);
    } catch (error) {
      bpf.closeObject(object);
      throw error;
    }
  }

  private constructor(object: Pointer, options: ProbeOptions, readsUring: boolean) {
    const bpf = libbpf();
    this.options = options;
    this.readsUring = readsUring;
    this.object = object;
    this.connectionsFd = this.mapFd("connections");
    this.passedFd = this.mapFd("passed");
    this.globals = bpf.map(this.mapFd(".bss"), 0, GLOBALS_BYTES, true);
    this.lostCounters = new BigUint64Array(this.globals.memory, LAYOUT.globals.lost_events[0], 2);
    this.isAsleep = new BigUint64Array(this.globals.memory, LAYOUT.globals.is_asleep[0], 1);
    this.isEnding = new BigUint64Array(this.globals.memory, LAYOUT.globals.is_ending[0], 1);
    this.isAttaching = new BigUint64Array(this.globals.memory, LAYOUT.globals.is_attaching[0], 1);
    this.targets = bpf.map(this.mapFd("targets"), 0, MAX_PIDS, true);
    this.isTarget = new Uint8Array(this.targets.memory);
    this.addCgroups(options.cgroupFds);
    this.eventsFd = this.mapFd("events");
    this.ring = new RingBuffer(this.eventsFd, options.ringBytes);
  }

  attach(): void {
    const bpf = libbpf();
    let owners: Pointer | null = null;
    for (let program = bpf.nextProgram(this.object, null); program; program = bpf.nextProgram(this.object, program)) {
      if (!bpf.isAutoloaded(program)) continue;
      if (bpf.programName(program) === OWNERS_PROGRAM) owners = program;
      else this.links.push(orUserError(() => bpf.attach(program as Pointer)));
    }
    // After the others: a connection that is opened meanwhile is theirs.
    if (owners !== null) learnOwners(owners);
  }

  addTarget(pid: number): void {
    this.isTarget[pid] = 1;
  }

  /** Another object that shares the maps gets the same configuration, before it is loaded. */
  configure(object: Pointer): void {
    writeConfig(configOf(object), this.options);
  }

  get tlsSlots(): number {
    return tlsSlots();
  }

  /** The kernel no longer reports the connection. */
  ignore(connection: { readonly socket: bigint; readonly id: number; readonly pid: number }, state: number): void {
    if (connection.id >= firstSession) {
      this.ignoreSession(connection, state);
      return;
    }
    const value = new DataView(new ArrayBuffer(SIZES.connection));
    value.setUint32(LAYOUT.connection.inode[0], connection.id, true);
    value.setUint8(LAYOUT.connection.state[0], state);
    try {
      libbpf().updateElement(this.connectionsFd, BigUint64Array.of(connection.socket), value, BPF_EXIST);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error; // it is closed by now
    }
  }

  /** Calls that end before `position` are reported, and not copied. */
  pass({ id, isWrite, position }: PassedStretch): void {
    const key = BigUint64Array.of((BigInt(id) << 1n) | BigInt(isWrite));
    libbpf().updateElement(this.passedFd, key, Uint32Array.of(position), BPF_ANY);
  }

  private ignoreSession({ socket, pid }: { readonly socket: bigint; readonly pid: number }, state: number): void {
    const key = new DataView(new ArrayBuffer(SIZES.tls_key));
    key.setBigUint64(LAYOUT.tls_key.session[0], socket, true);
    key.setUint32(LAYOUT.tls_key.pid[0], pid, true);
    const value = new DataView(new ArrayBuffer(SIZES.tls_session));
    const map = this.mapFd("tls_sessions");
    try {
      libbpf().lookupElement(map, key, value);
      value.setUint8(LAYOUT.tls_session.stream[0] + LAYOUT.connection.state[0], state);
      libbpf().updateElement(map, key, value, BPF_EXIST);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error; // it has ended by now
    }
  }

  /** Events that found the ring full, and the bytes that they told of. */
  get lost(): { events: number; bytes: number } {
    return { events: Number(Atomics.load(this.lostCounters, 0)), bytes: Number(Atomics.load(this.lostCounters, 1)) };
  }

  /** Waits for the next event, at most `timeoutMs`; the ring must have been drained. */
  async sleep(timeoutMs: number): Promise<void> {
    Atomics.store(this.isAsleep, 0, 1n);
    // An event that came in between makes poll() return at once.
    await libbpf().waitForInput(this.eventsFd, timeoutMs);
    Atomics.store(this.isAsleep, 0, 0n);
  }

  /** Sessions of TLS that were open before are seen from the moment on when all of `attach` has been done. */
  atOnce(attach: () => void): void {
    Atomics.store(this.isAttaching, 0, 1n);
    try {
      attach();
    } finally {
      Atomics.store(this.isAttaching, 0, 0n);
    }
  }

  /** Nothing more is reported; what is in the ring can still be read. */
  detach(): void {
    Atomics.store(this.isEnding, 0, 1n);
    for (const link of this.links.splice(0)) libbpf().destroyLink(link);
  }

  close(): void {
    this.detach();
    this.ring.close();
    libbpf().unmap(this.globals.address, GLOBALS_BYTES);
    libbpf().unmap(this.targets.address, MAX_PIDS);
    libbpf().closeObject(this.object);
  }

  private addCgroups(fds: readonly number[]): void {
    const map = this.mapFd("cgroups");
    for (const [i, fd] of fds.entries()) libbpf().updateElement(map, Uint32Array.of(i), Uint32Array.of(fd), 0);
  }

  mapFd(name: string): number {
    const bpf = libbpf();
    return bpf.mapFd(bpf.findMap(this.object, name));
  }
}

/** Answers whether requests of io_uring can be read. */
function configureObject(object: Pointer, options: ProbeOptions): boolean {
  const bpf = libbpf();
  writeConfig(configOf(object), options);
  bpf.setMaxEntries(bpf.findMap(object, "events"), options.ringBytes);
  bpf.setMaxEntries(bpf.findMap(object, "scratches"), bpf.possibleCpus());
  if (!options.isReadingTls) for (const map of TLS_MAPS) bpf.setMaxEntries(bpf.findMap(object, map), 1);
  bpf.setAutoload(bpf.findProgram(object, "l7p_sys_enter"), options.isTimingCalls);
  if (!options.isTimingCalls) bpf.setMaxEntries(bpf.findMap(object, "call_starts"), 1);
  chooseDropProgram(object, options.isSeeingDrops);
  return chooseUringPrograms(object);
}

const TLS_MAPS = ["tls_threads", "tls_sessions"];

function configOf(object: Pointer): DataView {
  const bpf = libbpf();
  return new DataView(bpf.initialValue(bpf.findMap(object, ".rodata")), 0, SIZES.config);
}

/** SCRATCHES_OF_CPU in bpf/tls-scratch.bpf.h. */
function tlsSlots(): number {
  return 3 * libbpf().possibleCpus();
}

function writeConfig(view: DataView, options: ProbeOptions): void {
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

/** PROC_PID_INIT_INO (include/linux/proc_ns.h). */
const INITIAL_PID_NAMESPACE = 0xefff_fffc;

/** 0 for the initial one: then the kernel's numbers are ours. */
function pidNamespace(): number {
  const { ino } = statSync("/proc/self/ns/pid");
  return ino === INITIAL_PID_NAMESPACE ? 0 : ino;
}

/** One link for many places of a file, and a cookie for each: without, a link each, and no cookies. */
export function hasMultiUprobes(): boolean {
  return isKernelAtLeast(6, 6);
}

export function isKernelAtLeast(wantedMajor: number, wantedMinor: number): boolean {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

export function objectPath(object: "l7prof" | "tls"): string {
  const machine = { x64: "x86_64", arm64: "arm64" }[process.arch as string];
  const path = fileURLToPath(new URL(`../../bpf/prebuilt/${object}.${machine}.bpf.o`, import.meta.url));
  if (machine === undefined || !existsSync(path)) {
    throw new UserError("no-object", `l7prof has no BPF object for ${process.arch}`, "it runs on x86_64 and arm64");
  }
  return path;
}

const EPERM = 1;
const EINVAL = 22;
const ENOENT = 2;
const ESRCH = 3;

/** What the kernel refused, in words; `l7prof doctor` says the same in more detail. */
function orUserError<T>(step: () => T): T {
  try {
    return step();
  } catch (cause) {
    return rethrowAsUserError(cause);
  }
}

function rethrowAsUserError(cause: unknown): never {
  if (!(cause instanceof SystemError)) throw cause;
  if (cause.errno === EPERM) {
    throw new UserError(
      "no-rights",
      `the kernel does not let l7prof load BPF programs (${cause.message})`,
      "run it as root, or with CAP_BPF and CAP_PERFMON; see: l7prof doctor",
      { cause },
    );
  }
  if ([ENOENT, ESRCH].includes(cause.errno) && !existsSync("/sys/kernel/btf/vmlinux")) {
    throw new UserError(
      "no-btf",
      "the kernel has no BTF (/sys/kernel/btf/vmlinux)",
      "l7prof needs a kernel built with CONFIG_DEBUG_INFO_BTF=y, 5.10 or newer",
      { cause },
    );
  }
  const code = cause.errno === EINVAL ? "kernel-refused" : "bpf-failed";
  throw new UserError(
    code,
    `the kernel refused a BPF program (${cause.message})`,
    "see what this host lacks: l7prof doctor; --debug shows the verifier's log",
    { cause },
  );
}
