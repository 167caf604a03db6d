/**
 * The system's libbpf through koffi. This file, system-calls.ts and system-error.ts alone know the FFI: pointers are
 * opaque to the others, failures are `SystemError`s that carry the errno.
 */
import koffi, { type LibraryHandle } from "koffi";
import { UserError } from "../errors.ts";
import { systemCallsOf } from "./system-calls.ts";
import { type Pointer, SystemError } from "./system-error.ts";

export type Libbpf = ReturnType<typeof loadLibbpf>;

let loaded: Libbpf | undefined;

/** @throws UserError `no-libbpf` when there is no libbpf 1.x on this system. */
export function libbpf(): Libbpf {
  loaded ??= loadLibbpf();
  return loaded;
}

function loadLibbpf() {
  const bpf = openLibbpf();
  const pointer = (name: string, signature: string) => checkPointer(name, bpf.func(signature));
  const status = (name: string, signature: string) => checkStatus(name, bpf.func(signature));
  return {
    version: bpf.func("const char *libbpf_version_string()") as () => string,
    /** null: libbpf says nothing on stderr. */
    setPrint: bpf.func("void *libbpf_set_print(void *callback)") as (callback: null) => void,
    openObject: pointer("bpf_object__open_file", "void *bpf_object__open_file(const char *path, const void *options)"),
    /** On another thread: the verifier takes a while. */
    loadObject: loadObjectOf(bpf),
    closeObject: bpf.func("void bpf_object__close(void *object)") as (object: Pointer) => void,
    findMap: pointer(
      "bpf_object__find_map_by_name",
      "void *bpf_object__find_map_by_name(void *object, const char *name)",
    ),
    mapFd: status("bpf_map__fd", "int bpf_map__fd(void *map)"),
    reuseMap: status("bpf_map__reuse_fd", "int bpf_map__reuse_fd(void *map, int fd)"),
    setMaxEntries: status("bpf_map__set_max_entries", "int bpf_map__set_max_entries(void *map, uint32_t entries)"),
    initialValue: initialValueOf(bpf),
    programs: programsOf(bpf),
    programName: bpf.func("const char *bpf_program__name(void *program)") as (program: Pointer) => string,
    sectionName: bpf.func("const char *bpf_program__section_name(void *program)") as (program: Pointer) => string,
    programFd: status("bpf_program__fd", "int bpf_program__fd(void *program)"),
    skippedRuns: skippedRunsOf(bpf),
    setExpectedAttachType: status(
      "bpf_program__set_expected_attach_type",
      "int bpf_program__set_expected_attach_type(void *program, int type)",
    ),
    findProgram: pointer(
      "bpf_object__find_program_by_name",
      "void *bpf_object__find_program_by_name(void *object, const char *name)",
    ),
    setAutoload: status("bpf_program__set_autoload", "int bpf_program__set_autoload(void *program, bool autoload)"),
    isAutoloaded: bpf.func("bool bpf_program__autoload(void *program)") as (program: Pointer) => boolean,
    ...kernelTypesOf(bpf),
    attach: pointer("bpf_program__attach", "void *bpf_program__attach(void *program)"),
    linkFd: status("bpf_link__fd", "int bpf_link__fd(void *link)"),
    /** A file whose reading runs the iterator's program over all there is. */
    createIterator: status("bpf_iter_create", "int bpf_iter_create(int link)"),
    attachUprobe: pointer(
      "bpf_program__attach_uprobe",
      "void *bpf_program__attach_uprobe(void *program, bool isReturn, int pid, const char *path, size_t offset)",
    ),
    attachPerfEvent: pointer(
      "bpf_program__attach_perf_event",
      "void *bpf_program__attach_perf_event(void *program, int event)",
    ),
    /** On another thread: the kernel takes a while. */
    destroyLinkAsync: destroyLinkAsyncOf(bpf),
    destroyLink: status("bpf_link__destroy", "int bpf_link__destroy(void *link)"),
    possibleCpus: status("libbpf_num_possible_cpus", "int libbpf_num_possible_cpus()"),
    updateElement: status(
      "bpf_map_update_elem",
      "int bpf_map_update_elem(int map, const void *key, const void *value, uint64_t flags)",
    ),
    lookupElement: status("bpf_map_lookup_elem", "int bpf_map_lookup_elem(int map, const void *key, void *value)"),
    deleteElement: status("bpf_map_delete_elem", "int bpf_map_delete_elem(int map, const void *key)"),
    ...systemCallsOf(koffi.load(null)),
  };
}

function openLibbpf() {
  try {
    return koffi.load("libbpf.so.1");
  } catch (cause) {
    throw new UserError(
      "no-libbpf",
      "libbpf 1.x (libbpf.so.1) is not installed",
      "install it: apt-get install libbpf1 (Debian, Ubuntu), dnf install libbpf (Fedora, RHEL), apk add libbpf (Alpine)",
      { cause },
    );
  }
}

type Arguments = readonly (Pointer | ArrayBufferView | number | string | bigint | boolean | null)[];
type ForeignFunction = (...args: Arguments) => unknown;

function checkPointer(name: string, call: ForeignFunction): (...args: Arguments) => Pointer {
  return (...args) => {
    const result = call(...args) as Pointer | null;
    if (!result) throw new SystemError(name, koffi.errno());
    return result;
  };
}

/** libbpf 1.x answers a negative errno. */
function checkStatus(name: string, call: ForeignFunction): (...args: Arguments) => number {
  return (...args) => {
    const result = call(...args) as number;
    if (result < 0) throw new SystemError(name, result === -1 ? koffi.errno() : -result);
    return result;
  };
}

/** All of an object's, in the order of the file. */
function programsOf(bpf: LibraryHandle): (object: Pointer) => Generator<Pointer> {
  const next = bpf.func("void *bpf_object__next_program(void *object, void *previous)");
  return function* (object) {
    for (let program: Pointer | null = next(object, null); program; program = next(object, program)) yield program;
  };
}

/** What a global section begins with; only what is written there before the load counts. */
function initialValueOf(bpf: LibraryHandle): (map: Pointer) => ArrayBuffer {
  const call = bpf.func("void *bpf_map__initial_value(void *map, _Out_ size_t *size)");
  return (map) => {
    const size: [number | bigint] = [0];
    const address = call(map, size) as Pointer | null;
    if (!address) throw new SystemError("bpf_map__initial_value", koffi.errno());
    return koffi.view(address, Number(size[0]));
  };
}

/** The types of the running kernel, by its BTF. */
function kernelTypesOf(bpf: LibraryHandle) {
  const load = bpf.func("void *btf__load_vmlinux_btf()");
  const find = bpf.func("int btf__find_by_name_kind(void *btf, const char *name, uint32_t kind)");
  const typeById = bpf.func("void *btf__type_by_id(void *btf, uint32_t id)");
  const nameAt = bpf.func("const char *btf__name_by_offset(void *btf, uint32_t offset)");
  const [ENUM, TYPEDEF] = [6, 8];
  let btf: Pointer | null = null;
  const idOf = (name: string, kind: number) => {
    btf ??= load() as Pointer | null;
    return btf ? (find(btf, name, kind) as number) : -1;
  };
  // struct btf_type: name, info, and the type that it is of
  const typeAt = (id: number) => new Uint32Array(koffi.view(typeById(btf, id) as Pointer, 12));
  return {
    /** How many arguments a tracepoint hands to a BPF program; -1 if there is no such tracepoint. */
    tracepointArguments: (name: string): number => {
      const id = idOf(`btf_trace_${name}`, TYPEDEF);
      if (id < 0) return -1;
      const pointer = typeAt(id)[2]!;
      const prototype = typeAt(pointer)[2]!;
      return (typeAt(prototype)[1]! & 0xffff) - 1; // without the one that is the tracepoint's own
    },
    /** The names of an enumeration by their values; empty if there is no such enumeration. */
    enumeratorsOf: (name: string): Map<number, string> => {
      const id = idOf(name, ENUM);
      if (id < 0) return new Map();
      const count = typeAt(id)[1]! & 0xffff;
      // Behind the type: struct btf_enum {name, value} for each.
      const words = new Uint32Array(koffi.view(typeById(btf, id) as Pointer, 12 + 8 * count)).slice(3);
      const pairs = Array.from({ length: count }, (_, i) => [words[2 * i + 1]!, words[2 * i]!] as const);
      return new Map(pairs.map(([value, at]) => [value, nameAt(btf, at) as string]));
    },
  };
}

function loadObjectOf(bpf: LibraryHandle): (object: Pointer) => Promise<void> {
  const call = bpf.func("int bpf_object__load(void *object)");
  return (object) =>
    new Promise((resolve, reject) => {
      call.async(object, (error: unknown, result: number) => {
        if (error) reject(error);
        else if (result < 0) reject(new SystemError("bpf_object__load", -result));
        else resolve();
      });
    });
}

function destroyLinkAsyncOf(bpf: LibraryHandle): (link: Pointer) => Promise<void> {
  const call = bpf.func("int bpf_link__destroy(void *link)");
  return (link) => new Promise((resolve) => call.async(link, () => resolve()));
}

/** struct bpf_prog_info: its last field here, which older kernels do not fill in. */
const RECURSION_MISSES_AT = 208;

/** How often the kernel has left out a program, by its descriptor, because another run of it was going on (5.12). */
function skippedRunsOf(bpf: LibraryHandle): (program: number) => number {
  const call = bpf.func("int bpf_obj_get_info_by_fd(int fd, void *info, _Inout_ uint32_t *length)");
  return (program) => {
    const info = new DataView(new ArrayBuffer(RECURSION_MISSES_AT + 8));
    const result = call(program, info, [info.byteLength]) as number;
    if (result < 0) throw new SystemError("bpf_obj_get_info_by_fd", -result);
    return Number(info.getBigUint64(RECURSION_MISSES_AT, true));
  };
}
