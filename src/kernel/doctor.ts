/** `l7prof doctor`: what this host has of what l7prof needs, each with its fix. Asks the kernel by doing it. */
import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import chalk, { Chalk } from "chalk";
import { UserError } from "../errors.ts";
import type { Check } from "./check.ts";
import { whyNoDrops } from "./drops.ts";
import { libbpf } from "./libbpf.ts";
import { Probe } from "./probe.ts";
import { checkPids } from "./targets.ts";
import { checkTls } from "./tls/checks.ts";
import { arePreempted } from "./trace-events.ts";

export interface DoctorOptions {
  readonly json: boolean;
  readonly color: boolean;
  /** Processes to look at, too. */
  readonly pids: readonly number[];
}

/** The exit code: 1 if something blocks. */
export async function doctor(options: DoctorOptions): Promise<number> {
  const checks = [
    checkKernel(),
    checkRights(),
    checkBtf(),
    checkLockdown(),
    checkLibbpf(),
    ...(await checkProbe(checkPids(options.pids))),
    checkCgroup(),
  ];
  const isBlocked = checks.some(({ state }) => state === "blocked");
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ type: "doctor", blocked: isBlocked, checks })}\n`
      : asText(checks, options.color),
  );
  return isBlocked ? 1 : 0;
}

function asText(checks: readonly Check[], isColored: boolean): string {
  const paint = new Chalk({ level: isColored ? chalk.level || 1 : 0 });
  const colors = { ok: paint.green, degraded: paint.yellow, blocked: paint.red };
  const line = ({ name, state, detail, fix }: Check) =>
    `${colors[state](state.padEnd(8))}  ${name.padEnd(12)}  ${detail}\n${fix === null ? "" : `${" ".repeat(24)}fix: ${fix}\n`}`;
  return checks.map(line).join("");
}

function checkKernel(): Check {
  const version = release();
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 5 || (major === 5 && minor >= 10)) return { name: "kernel", state: "ok", detail: version, fix: null };
  return {
    name: "kernel",
    state: "blocked",
    detail: `${version} is older than 5.10`,
    fix: "run l7prof on kernel 5.10 or newer",
  };
}

const CAP_PERFMON = 38n;
const CAP_BPF = 39n;

function checkRights(): Check {
  const name = "rights";
  if (process.geteuid?.() === 0) return { name, state: "ok", detail: "root", fix: null };
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  const capabilities = BigInt(`0x${effective}`);
  const missing = [
    ["CAP_BPF", CAP_BPF],
    ["CAP_PERFMON", CAP_PERFMON],
  ].filter(([, bit]) => ((capabilities >> (bit as bigint)) & 1n) === 0n);
  if (missing.length === 0) return { name, state: "ok", detail: "CAP_BPF and CAP_PERFMON", fix: null };
  return {
    name,
    state: "blocked",
    detail: `not root, without ${missing.map(([cap]) => cap).join(" and ")}`,
    fix: "run it with sudo",
  };
}

function checkBtf(): Check {
  const path = "/sys/kernel/btf/vmlinux";
  if (existsSync(path)) return { name: "BTF", state: "ok", detail: path, fix: null };
  return {
    name: "BTF",
    state: "blocked",
    detail: `${path} is missing`,
    fix: "use a kernel built with CONFIG_DEBUG_INFO_BTF=y (Debian 11+, Ubuntu 20.10+, RHEL 8.2+ have it), and mount /sys",
  };
}

function checkLockdown(): Check {
  const name = "lockdown";
  let mode = "none";
  try {
    mode = /\[(\w+)\]/.exec(readFileSync("/sys/kernel/security/lockdown", "utf8"))?.[1] ?? "none";
  } catch {
    // No securityfs: what is locked down shows when the programs are loaded.
  }
  if (mode !== "confidentiality") return { name, state: "ok", detail: mode, fix: null };
  return {
    name,
    state: "blocked",
    detail: "confidentiality: BPF may not read memory",
    fix: "boot with lockdown=integrity or none",
  };
}

function checkLibbpf(): Check {
  try {
    return { name: "libbpf", state: "ok", detail: libbpf().version(), fix: null };
  } catch (error) {
    return failed("libbpf", error);
  }
}

/** Loads and attaches the very programs, as a run would, and takes them away again. */
async function checkProbe(pids: readonly number[]): Promise<readonly Check[]> {
  try {
    const probe = await Probe.load({
      isAll: false,
      isFollowing: false,
      comms: [],
      ports: [],
      cgroupFds: [],
      ringBytes: 4096,
      keepBytes: 4096,
      isReadingTls: true,
      isTimingCalls: true,
      isSeeingDrops: true,
      isVerbose: false,
    });
    const tls: Check[] = [];
    try {
      probe.attach();
      tls.push(...(await checkTls(probe, pids)));
    } finally {
      probe.close();
    }
    return [checkHooks(probe), checkUring(probe), checkDrops(), ...tls];
  } catch (error) {
    return [failed("programs", error)];
  }
}

function checkHooks({ traceEvents }: Probe): Check {
  const name = "programs";
  const hooks =
    "sys_exit, sys_enter, inet_sock_set_state, tcp_retransmit_skb, tcp_destroy_sock, sched_process_fork, _exec, _exit (tp_btf), ring buffer";
  if (!arePreempted()) return { name, state: "ok", detail: hooks, fix: null };
  if (traceEvents.size > 0) return { name, state: "ok", detail: `${hooks}; calls by perf's trace events`, fix: null };
  return {
    name,
    state: "degraded",
    detail: `${hooks}, but no trace events: this kernel preempts these programs, and leaves out others of them meanwhile`,
    fix: "run it with CAP_SYS_ADMIN, on a kernel built with CONFIG_FTRACE_SYSCALLS: else counts may be too low under load",
  };
}

function checkUring({ readsUring }: Probe): Check {
  const name = "io_uring";
  if (readsUring) return { name, state: "ok", detail: "its submissions and completions", fix: null };
  return {
    name,
    state: "degraded",
    detail: "what goes through it can't be read on this kernel, and is not counted",
    fix: "use kernel 6.1 or newer, built with CONFIG_IO_URING; what goes through other calls is seen all the same",
  };
}

function checkDrops(): Check {
  const name = "drops";
  const why = whyNoDrops();
  if (why === null) return { name, state: "ok", detail: "dropped packets, with the reason (tp_btf)", fix: null };
  return { name, state: "degraded", detail: why, fix: "use kernel 5.17 or newer; all else of --tcp is there" };
}

function checkCgroup(): Check {
  const name = "cgroup v2";
  const mount = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find((path) => existsSync(`${path}/cgroup.controllers`));
  if (mount !== undefined) return { name, state: "ok", detail: mount, fix: null };
  return {
    name,
    state: "degraded",
    detail: "not mounted: --cgroup can't be used",
    fix: "mount -t cgroup2 none /sys/fs/cgroup/unified; --pid and --comm work without",
  };
}

function failed(name: string, error: unknown): Check {
  if (error instanceof UserError) return { name, state: "blocked", detail: error.message, fix: error.hint };
  return { name, state: "blocked", detail: String(error), fix: "run l7prof with --debug and report what it prints" };
}
