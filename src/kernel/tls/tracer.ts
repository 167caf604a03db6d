/**
 * Reads TLS: finds the libraries that targets map, at the start and whenever one maps something new, and attaches
 * the probes to each once. What fails is said with its reason, and the rest goes on.
 */
import type { RecordCursor } from "../../core/decode.ts";
import { EVENT_MAPPED, EVENT_OPAQUE, EVENT_PROCESS, FLAG_QUIC, PROCESS_ENDED } from "../../core/record-layout.ts";
import type { Probe } from "../probe.ts";
import { mountNamespaceOf } from "../processes.ts";
import { SystemError } from "../system-error.ts";
import { ElfFile } from "./elf.ts";
import { runtimesOf, systemLibraries } from "./foreseen.ts";
import { hasLibrary, libraries, soughtNames } from "./functions.ts";
import { GO_LIBRARY, goPlacements } from "./go/library.ts";
import { keyOnDisk, type MappedFile, mappedFiles, withFile } from "./mapped-files.ts";
import { type Placement, placementsOf } from "./placements.ts";
import { TlsProbe } from "./tls-probe.ts";
import { unreadableLibrary } from "./unreadable-library.ts";
import { X86Code } from "./x86-code.ts";

export const UNKNOWN_LIBRARY = "an unknown library";

export interface TlsWarning {
  readonly code: "tls-attach";
  readonly message: string;
}

const MAX_SEEN = 10_000;

/** What a file holds of TLS. */
export interface Finding {
  readonly library: string;
  readonly path: string;
  /** Null: it is attached. */
  readonly failure: string | null;
}

export class TlsTracer {
  private readonly tlsProbe: TlsProbe;
  /** By file, which may hold several: Go's beside that of C code in it. Forgotten when there are too many. */
  private readonly findings = new Map<string, readonly Finding[]>();
  /** Those by what the file is on the disk: it is attached to once, by whatever file systems it is seen. */
  private readonly findingsOnDisk = new Map<string, readonly Finding[]>();
  /** Processes to look at, once the records that are there have been read. */
  private readonly pending = new Set<number>();
  /** Processes with an opaque connection, and what they encrypt with: asked at once, since they may end soon. */
  private readonly seen = new Map<number, string>();
  private readonly warnings: TlsWarning[] = [];
  /** Mount namespaces whose libraries are attached to. */
  private readonly prepared = new Set<string>();
  /** A target has started a process, which may become another program. */
  private hasStarted = false;

  /** @throws SystemError when the kernel takes no such programs */
  static async open(probe: Probe): Promise<TlsTracer> {
    return new TlsTracer(await TlsProbe.load(probe));
  }

  private constructor(tlsProbe: TlsProbe) {
    this.tlsProbe = tlsProbe;
  }

  /** Attaches to what these processes map. */
  scan(pids: Iterable<number>): void {
    for (const pid of pids) for (const file of mappedFiles(pid)) this.inspect(file);
  }

  /** The targets at the start. One without a library may be about to load one, or to start a program that does. */
  scanFirst(pids: readonly number[]): void {
    this.scan(pids);
    const without = pids.filter((pid) => this.readableIn(pid).length === 0);
    if (without.length > 0) this.prepare([process.pid, ...without]);
  }

  /** These processes will start programs: attaches to what they may bring before the first of them runs. */
  prepare(pids: Iterable<number>, programs: readonly MappedFile[] = []): void {
    for (const file of programs) this.inspect(file);
    for (const pid of pids) for (const file of [...this.newLibraries(pid), ...runtimesOf(pid)]) this.inspect(file);
  }

  /** Takes note of what may bring another library. */
  notice(record: RecordCursor): void {
    const { kind } = record;
    if (kind === EVENT_MAPPED) {
      if (!this.findings.has(record.mappedFile)) this.pending.add(record.pid);
    } else if (kind === EVENT_PROCESS) {
      if (record.what === PROCESS_ENDED) return;
      this.pending.add(record.pid);
      this.hasStarted = true;
    } else if (kind === EVENT_OPAQUE && (record.flags & FLAG_QUIC) === 0 && !this.seen.has(record.pid)) {
      if (this.seen.size >= MAX_SEEN) this.seen.clear();
      this.seen.set(record.pid, "");
      this.pending.add(record.pid);
    }
  }

  /** Attaches to what has been noticed; answers what went wrong since the last call. */
  update(): readonly TlsWarning[] {
    if (this.hasStarted && this.prepared.size === 0) this.prepare([process.pid, ...this.pending]);
    this.scan(this.pending);
    for (const pid of this.pending) if (this.seen.get(pid) === "") this.seen.set(pid, this.describe(pid));
    this.pending.clear();
    return this.warnings.splice(0);
  }

  close(): Promise<void> {
    return this.tlsProbe.close();
  }

  /** The libraries that are read. */
  attached(): Finding[] {
    return [...this.findingsOnDisk.values()].flat().filter(({ failure }) => failure === null);
  }

  /** Those of them that the process maps. */
  readableIn(pid: number): Finding[] {
    const findings = new Set(this.findingsIn(mappedFiles(pid)));
    return this.attached().filter((finding) => findings.has(finding));
  }

  /** What a process encrypts with, if it can't be read. */
  libraryOf(pid: number): string {
    const now = this.describe(pid);
    return now === UNKNOWN_LIBRARY ? this.seen.get(pid) || now : now;
  }

  private describe(pid: number): string {
    const files = mappedFiles(pid);
    for (const file of files) this.inspect(file);
    const findings = this.findingsIn(files);
    const failed = findings.find(({ failure }) => failure !== null);
    if (failed !== undefined) return `${failed.library} (${failed.path}: ${failed.failure})`;
    const names = [...new Set(findings.map(({ library }) => library))];
    if (names.length > 0) return `${names.join(" and ")}, but not by a session that was seen`;
    return unreadableLibrary(files) ?? UNKNOWN_LIBRARY;
  }

  private findingsIn(files: readonly MappedFile[]): Finding[] {
    return files.flatMap(({ id }) => this.findings.get(id) ?? []);
  }

  /** Of its system, unless that of another process was the same. */
  private newLibraries(pid: number): MappedFile[] {
    const system = mountNamespaceOf(pid);
    if (system === null || this.prepared.has(system)) return [];
    this.prepared.add(system);
    return systemLibraries(pid);
  }

  private inspect(file: MappedFile): void {
    if (this.findings.has(file.id)) return;
    if (this.findings.size >= MAX_SEEN) this.findings.clear();
    const findings = withFile(file, (fd) => {
      const key = keyOnDisk(fd);
      const found = this.findingsOnDisk.get(key) ?? this.attachToLibraries(file, fd);
      if (found.length > 0) this.findingsOnDisk.set(key, found);
      return found;
    });
    if (findings !== null) this.findings.set(file.id, findings);
  }

  private attachToLibraries(file: MappedFile, fd: number): Finding[] {
    const elf = ElfFile.open(fd);
    return elf === null ? [] : [...this.attachToC(elf, file, fd), ...this.attachToGo(elf, file, fd)];
  }

  private attachToC(elf: ElfFile, file: MappedFile, fd: number): Finding[] {
    const found = elf.functions(soughtNames, hasLibrary);
    return libraries.flatMap((library) => {
      const placements = placementsOf(library, found, X86Code.of(elf));
      return placements === null ? [] : this.attach(library.name, placements, file, fd);
    });
  }

  private attachToGo(elf: ElfFile, file: MappedFile, fd: number): Finding[] {
    const placements = goPlacements(elf);
    if (placements === null) return [];
    return typeof placements === "string"
      ? [this.failed(GO_LIBRARY, placements, file)]
      : [this.attach(GO_LIBRARY, placements, file, fd)];
  }

  private attach(library: string, placements: readonly Placement[], file: MappedFile, fd: number): Finding {
    try {
      this.tlsProbe.attach(`/proc/self/fd/${fd}`, placements);
      return { library, path: file.path, failure: null };
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return this.failed(library, error.message, file);
    }
  }

  private failed(library: string, failure: string, { path, pid }: MappedFile): Finding {
    const message = `can't read ${library} in ${path} (process ${pid}): ${failure}; what does not use it is read`;
    this.warnings.push({ code: "tls-attach", message });
    return { library, path, failure };
  }
}
