/** System calls that neither Node nor libbpf makes as they are needed, through koffi. */
import { closeSync } from "node:fs";
import koffi, { type LibraryHandle } from "koffi";
import { type Pointer, SystemError } from "./system-error.ts";

/** Memory shared with the kernel; the buffer is only valid until it is unmapped. */
export interface Mapping {
  readonly memory: ArrayBuffer;
  readonly address: Pointer;
}

export function systemCallsOf(libc: LibraryHandle) {
  const mmap = libc.func("void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)");
  return {
    attachUprobes: attachUprobesOf(libc),
    openTraceEvent: openTraceEventOf(libc),
    mount: mountOf(libc),
    /** Maps `length` bytes of a map's file descriptor. */
    map(fd: number, offset: number, length: number, isWritable: boolean): Mapping {
      const address = mmap(null, length, isWritable ? 3 : 1, 1, fd, offset) as Pointer;
      if (BigInt.asIntN(64, address) === -1n) throw new SystemError("mmap", koffi.errno());
      return { memory: koffi.view(address, length), address };
    },
    ...waitsForInputOf(libc),
    /** Gives back to the system what loading took: libbpf reads all of the kernel's BTF for each object. */
    trimMemory: trimMemoryOf(libc),
    unmap: libc.func("int munmap(void *address, size_t length)") as (address: Pointer, length: number) => number,
  };
}

const BPF_LINK_CREATE = 28;
const BPF_TRACE_UPROBE_MULTI = 48;
const SYS_BPF = process.arch === "arm64" ? 280 : 321;

/**
 * One program at many places of a file: a link of kernel 6.6 (89ae89f53d20), which libbpf knows since 1.3, so the
 * kernel is asked without it. The program must have been loaded for it. Answers the link's descriptor.
 */
function attachUprobesOf(libc: LibraryHandle) {
  const attributes = koffi.struct({
    prog_fd: "uint32_t",
    target_fd: "uint32_t",
    attach_type: "uint32_t",
    flags: "uint32_t",
    path: "const char *",
    offsets: "uint64_t *",
    ref_ctr_offsets: "void *",
    cookies: "uint64_t *",
    cnt: "uint32_t",
    multi_flags: "uint32_t",
    pid: "uint32_t",
    reserved: "uint32_t",
  });
  const prototype = koffi.pointer(attributes);
  const syscall = libc.func("syscall", "long", ["long", "long", prototype, "unsigned long"]);
  return (
    program: number,
    path: string,
    offsets: BigUint64Array,
    isReturn: boolean,
    cookies: BigUint64Array | null,
  ): number => {
    const link = {
      prog_fd: program,
      target_fd: 0,
      attach_type: BPF_TRACE_UPROBE_MULTI,
      flags: 0,
      path,
      offsets,
      ref_ctr_offsets: null,
      cookies,
      cnt: offsets.length,
      multi_flags: Number(isReturn),
      pid: 0,
      reserved: 0,
    };
    const fd = Number(syscall(SYS_BPF, BPF_LINK_CREATE, link, koffi.sizeof(attributes)));
    if (fd < 0) throw new SystemError("BPF_LINK_CREATE", koffi.errno());
    return fd;
  };
}

const SYS_PERF_EVENT_OPEN = process.arch === "arm64" ? 241 : 298;
const PERF_TYPE_TRACEPOINT = 2;
const PERF_FLAG_FD_CLOEXEC = 8;

/** perf_event_open(2): the trace event with this number, on all CPUs for programs that are attached to it. */
function openTraceEventOf(libc: LibraryHandle): (id: number) => number {
  const types = ["long", "void *", "int", "int", "int", "unsigned long"];
  const syscall = libc.func("syscall", "long", types);
  return (id) => {
    // struct perf_event_attr, as its first version has it: type, size, config, and what is nothing here.
    const attributes = new DataView(new ArrayBuffer(64));
    attributes.setUint32(0, PERF_TYPE_TRACEPOINT, true);
    attributes.setUint32(4, attributes.byteLength, true);
    attributes.setBigUint64(8, BigInt(id), true);
    const fd = Number(syscall(SYS_PERF_EVENT_OPEN, attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC));
    if (fd < 0) throw new SystemError("perf_event_open", koffi.errno());
    return fd;
  };
}

const SYS_FSOPEN = 430;
const SYS_FSCONFIG = 431;
const SYS_FSMOUNT = 432;
const FSCONFIG_CMD_CREATE = 6;
const CLOEXEC = 1;

/** A file system of this type, mounted nowhere: the descriptor of its root. */
function mountOf(libc: LibraryHandle): (type: string) => number {
  const fsopen = libc.func("syscall", "long", ["long", "const char *", "unsigned int"]);
  const fsconfig = libc.func("syscall", "long", ["long", "int", "unsigned int", "void *", "void *", "int"]);
  const fsmount = libc.func("syscall", "long", ["long", "int", "unsigned int", "unsigned int"]);
  const checked = (name: string, result: unknown) => {
    if (Number(result) < 0) throw new SystemError(name, koffi.errno());
    return Number(result);
  };
  return (type) => {
    const fs = checked("fsopen", fsopen(SYS_FSOPEN, type, CLOEXEC));
    try {
      checked("fsconfig", fsconfig(SYS_FSCONFIG, fs, FSCONFIG_CMD_CREATE, null, null, 0));
      return checked("fsmount", fsmount(SYS_FSMOUNT, fs, CLOEXEC, 0));
    } finally {
      closeSync(fs);
    }
  };
}

/** Of glibc; others have no such function. */
function trimMemoryOf(libc: LibraryHandle): () => void {
  try {
    const trim = libc.func("int malloc_trim(size_t pad)");
    return () => void trim(0);
  } catch {
    return () => {};
  }
}

/** Two ways to wait until the descriptor has input, at most `timeoutMs`; one at a time. */
function waitsForInputOf(libc: LibraryHandle) {
  const poll = libc.func("int poll(void *fds, unsigned long count, int timeout)");
  const POLLIN = 1;
  // struct pollfd: int fd; short events, revents. One for good: the kernel writes to it when the call has long begun,
  // and koffi does not keep memory from being collected until then.
  const descriptor = new DataView(new ArrayBuffer(8));
  const describe = (fd: number) => {
    descriptor.setInt32(0, fd, true);
    descriptor.setInt16(4, POLLIN, true);
  };
  return {
    /** On another thread. Whatever poll says, the ring is looked at next. */
    waitForInput: (fd: number, timeoutMs: number) =>
      new Promise<void>((resolve) => {
        describe(fd);
        poll.async(descriptor, 1, timeoutMs, () => resolve());
      }),
    /** On this thread, which does nothing else meanwhile: cheaper by two changes of thread. */
    blockForInput: (fd: number, timeoutMs: number): void => {
      describe(fd);
      poll(descriptor, 1, timeoutMs);
    },
  };
}
