/** l7prof's programs in the kernel: open → configure → load → attach → close, and what is said to them meanwhile. */
import { firstSession } from "../core/decode.ts";
import type { PassedStretch } from "../core/lifecycle.ts";
import { LAYOUT, MAX_PIDS, SIZES } from "../core/record-layout.ts";
import { Bell } from "./bell.ts";
import { libbpf } from "./libbpf.ts";
import { learnOwners, OWNERS_PROGRAM } from "./owners.ts";
import { type Choice, configureObject, objectPath, type ProbeOptions, writeConfig } from "./probe-object.ts";
import { orUserError, rethrowAsUserError } from "./refusal.ts";
import { RingBuffer } from "./ring-buffer.ts";
import type { Mapping } from "./system-calls.ts";
import { type Pointer, SystemError } from "./system-error.ts";

const BPF_ANY = 0;
const BPF_EXIST = 2;
/** A run that is left out is a call or a process that is not seen. */
const COUNTED = /^l7p_(sys|uring|fork|exec|exit)/;
/** A page: the kernel maps no less. */
const GLOBALS_BYTES = 4096;

export class Probe {
  readonly ring: RingBuffer;
  readonly bell: Bell;
  private readonly options: ProbeOptions;
  /** The kernel has the tracepoints of io_uring that it takes. */
  readonly readsUring: boolean;
  /** Of the trace events that programs are attached to, by the program. */
  readonly traceEvents: ReadonlyMap<string, number>;
  private readonly object: Pointer;
  private readonly links: Pointer[] = [];
  /** Of trace events: to take one away lasts a tenth of a second. */
  private readonly eventLinks: Pointer[] = [];
  private readonly countedFds: number[] = [];
  private readonly connectionsFd: number;
  private readonly passedFd: number;
  /** The kernel side's global variables. */
  private readonly globals: Mapping;
  private readonly lostCounters: BigUint64Array;
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
      const choice = configureObject(object, options);
      await bpf.loadObject(object).catch(rethrowAsUserError);
      return new Probe(object, options, choice);
    } catch (error) {
      bpf.closeObject(object);
      throw error;
    }
  }

  private constructor(object: Pointer, options: ProbeOptions, { readsUring, traceEvents }: Choice) {
    const bpf = libbpf();
    this.options = options;
    this.readsUring = readsUring;
    this.traceEvents = traceEvents;
    this.object = object;
    this.connectionsFd = this.mapFd("connections");
    this.passedFd = this.mapFd("passed");
    this.globals = bpf.map(this.mapFd(".bss"), 0, GLOBALS_BYTES, true);
    this.lostCounters = new BigUint64Array(this.globals.memory, LAYOUT.globals.lost_events[0], 2);
    this.isEnding = new BigUint64Array(this.globals.memory, LAYOUT.globals.is_ending[0], 1);
    this.isAttaching = new BigUint64Array(this.globals.memory, LAYOUT.globals.is_attaching[0], 1);
    this.targets = bpf.map(this.mapFd("targets"), 0, MAX_PIDS, true);
    this.isTarget = new Uint8Array(this.targets.memory);
    this.addCgroups(options.cgroupFds);
    this.ring = new RingBuffer(this.mapFd("events"), options.ringBytes);
    const wakeAbove = new BigUint64Array(this.globals.memory, LAYOUT.globals.wake_above[0], 1);
    this.bell = new Bell(this.mapFd("bell"), wakeAbove, options.ringBytes);
  }

  attach(): void {
    const bpf = libbpf();
    let owners: Pointer | null = null;
    for (const program of bpf.programs(this.object)) {
      if (!bpf.isAutoloaded(program)) continue;
      if (bpf.programName(program) === OWNERS_PROGRAM) owners = program;
      else orUserError(() => this.attachProgram(program));
    }
    // After the others: a connection that is opened meanwhile is theirs.
    if (owners !== null) learnOwners(owners);
  }

  private attachProgram(program: Pointer): void {
    const bpf = libbpf();
    const name = bpf.programName(program);
    const event = this.traceEvents.get(name);
    if (COUNTED.test(name)) this.countedFds.push(bpf.programFd(program));
    if (event === undefined) this.links.push(bpf.attach(program));
    else this.eventLinks.push(bpf.attachPerfEvent(program, bpf.openTraceEvent(event))); // which it will close
  }

  addTarget(pid: number): void {
    this.isTarget[pid] = 1;
  }

  /** Another object that shares the maps gets the same configuration, before it is loaded. */
  configure(object: Pointer): void {
    writeConfig(object, this.options);
  }

  /** The kernel no longer reports the connection. */
  ignore(
    { socket, id, pid }: { readonly socket: bigint; readonly id: number; readonly pid: number },
    state: number,
  ): void {
    if (id < firstSession) {
      this.setState(this.connectionsFd, BigUint64Array.of(socket), { id, size: SIZES.connection, at: 0, state });
      return;
    }
    const key = new DataView(new ArrayBuffer(SIZES.tls_key));
    key.setBigUint64(LAYOUT.tls_key.session[0], socket, true);
    key.setUint32(LAYOUT.tls_key.pid[0], pid, true);
    const at = LAYOUT.tls_session.stream[0];
    this.setState(this.mapFd("tls_sessions"), key, { id: id - firstSession, size: SIZES.tls_session, at, state });
  }

  /** Calls that end before `position` are reported, and not copied. */
  pass({ id, isWrite, position }: PassedStretch): void {
    const key = BigUint64Array.of((BigInt(id) << 1n) | BigInt(isWrite));
    libbpf().updateElement(this.passedFd, key, Uint32Array.of(position), BPF_ANY);
  }

  /** Of the `struct connection` that begins at `at` of the map's value, if its number is `id`. */
  private setState(
    mapFd: number,
    key: ArrayBufferView,
    { id, size, at, state }: { id: number; size: number; at: number; state: number },
  ): void {
    const value = new DataView(new ArrayBuffer(size));
    try {
      libbpf().lookupElement(mapFd, key, value);
      // Another may have the address by now.
      if (value.getUint32(at + LAYOUT.connection.inode[0], true) !== id) return;
      value.setUint8(at + LAYOUT.connection.state[0], state);
      libbpf().updateElement(mapFd, key, value, BPF_EXIST);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error; // it is closed by now
    }
  }

  /** Events that found the ring full, and the bytes that they told of. */
  get lost(): { events: number; bytes: number } {
    return { events: Number(Atomics.load(this.lostCounters, 0)), bytes: Number(Atomics.load(this.lostCounters, 1)) };
  }

  /** How often the kernel has left out a program of which each run counts. */
  get skippedRuns(): number {
    return this.countedFds.reduce((sum, fd) => sum + libbpf().skippedRuns(fd), 0);
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
    for (const link of this.eventLinks.splice(0)) libbpf().destroyLink(link);
    this.ring.close();
    this.bell.close();
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
