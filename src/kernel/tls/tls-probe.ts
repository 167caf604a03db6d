/** The second BPF object (bpf/tls.bpf.c): loaded with the maps of the first, attached file by file. */
import { close, closeSync } from "node:fs";
import { promisify } from "node:util";
import { hasMultiUprobes } from "../kernel-version.ts";
import { libbpf } from "../libbpf.ts";
import type { Probe } from "../probe.ts";
import { objectPath, tlsSlots } from "../probe-object.ts";
import type { Pointer } from "../system-error.ts";
import type { Placement } from "./placements.ts";

const BPF_TRACE_UPROBE_MULTI = 48;
const SHARED_MAPS = [
  "events",
  "bell",
  "targets",
  "cgroups",
  "connections",
  "passed",
  "unix_descriptors",
  "scratches",
  "tls_threads",
  "tls_sessions",
  "go_calls",
  ".bss",
];

export class TlsProbe {
  private readonly probe: Probe;
  private readonly object: Pointer;
  private readonly programs = new Map<string, Pointer>();
  private readonly links: Pointer[] = [];
  private readonly linkFds: number[] = [];
  /** One link for all places of a program in a file, instead of one each. */
  private readonly isMulti: boolean;

  /** The verifier takes its time on another thread. @throws SystemError */
  static async load(probe: Probe): Promise<TlsProbe> {
    const bpf = libbpf();
    const object = bpf.openObject(objectPath("tls"), null);
    const isMulti = hasMultiUprobes();
    try {
      for (const name of SHARED_MAPS) bpf.reuseMap(bpf.findMap(object, name), probe.mapFd(name));
      probe.configure(object);
      bpf.setMaxEntries(bpf.findMap(object, "tls_scratches"), tlsSlots());
      for (const program of isMulti ? bpf.programs(object) : []) {
        bpf.setExpectedAttachType(program, BPF_TRACE_UPROBE_MULTI);
      }
      await bpf.loadObject(object);
      return new TlsProbe(probe, object, isMulti);
    } catch (error) {
      bpf.closeObject(object);
      throw error;
    }
  }

  private constructor(probe: Probe, object: Pointer, isMulti: boolean) {
    this.probe = probe;
    this.object = object;
    this.isMulti = isMulti;
    for (const program of libbpf().programs(object)) this.programs.set(libbpf().programName(program), program);
  }

  /** To all processes that map the file, now or later. All or nothing. @throws SystemError */
  attach(path: string, placements: readonly Placement[]): void {
    const [links, fds] = [this.links.length, this.linkFds.length];
    try {
      this.probe.atOnce(() => {
        for (const placement of placements) this.place(path, placement);
      });
    } catch (error) {
      for (const link of this.links.splice(links)) libbpf().destroyLink(link);
      for (const fd of this.linkFds.splice(fds)) closeSync(fd);
      throw error;
    }
  }

  /** The kernel takes 50 ms for each link, so it is given several at a time. */
  async close(): Promise<void> {
    await Promise.all(this.linkFds.splice(0).map((fd) => closeAsync(fd)));
    await Promise.all(this.links.splice(0).map((link) => libbpf().destroyLinkAsync(link)));
    libbpf().closeObject(this.object);
  }

  private place(path: string, { program, isReturn, offsets, cookies }: Placement): void {
    const bpf = libbpf();
    const pointer = this.programs.get(program);
    if (pointer === undefined) throw new Error(`no BPF program ${program}`);
    if (this.isMulti) {
      const places = BigUint64Array.from(offsets, BigInt);
      const values = cookies === undefined ? null : BigUint64Array.from(cookies, BigInt);
      this.linkFds.push(bpf.attachUprobes(bpf.programFd(pointer), path, places, isReturn, values));
    } else {
      for (const offset of offsets) this.links.push(bpf.attachUprobe(pointer, isReturn, -1, path, offset));
    }
  }
}

const closeAsync = promisify(close);
