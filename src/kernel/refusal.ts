/** What the kernel refused, in words; `l7prof doctor` says the same in more detail. */
import { existsSync } from "node:fs";
import { UserError } from "../errors.ts";
import { SystemError } from "./system-error.ts";

const EPERM = 1;
const EINVAL = 22;
const ENOENT = 2;
const ESRCH = 3;

/** @throws UserError instead of a SystemError */
export function orUserError<T>(step: () => T): T {
  try {
    return step();
  } catch (cause) {
    return rethrowAsUserError(cause);
  }
}

export function rethrowAsUserError(cause: unknown): never {
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
