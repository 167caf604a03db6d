/** What of TLS can be read on this host, and of some processes: asked by attaching, as a run would. */
import type { Check } from "../check.ts";
import type { Probe } from "../probe.ts";
import { commOf } from "../processes.ts";
import { SystemError } from "../system-error.ts";
import { TlsTracer, UNKNOWN_LIBRARY } from "./tracer.ts";

/** `probe` was loaded for TLS and stays the caller's. */
export async function checkTls(probe: Probe, pids: readonly number[]): Promise<Check[]> {
  const name = "TLS";
  let tls: TlsTracer;
  try {
    tls = await TlsTracer.open(probe);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const detail = `the kernel takes no programs for uprobes (${error.message}): HTTPS is counted, not read`;
    const fix = "run on a kernel with CONFIG_UPROBE_EVENTS=y";
    return [{ name, state: "degraded", detail, fix }];
  }
  try {
    tls.prepare([process.pid]);
    tls.scan(pids);
    return [checkLibraries(tls), ...pids.map((pid) => checkProcess(tls, pid))];
  } finally {
    await tls.close();
  }
}

function checkLibraries(tls: TlsTracer): Check {
  const name = "TLS";
  const [failure] = tls.update();
  if (failure !== undefined) {
    return { name, state: "degraded", detail: failure.message, fix: "run it as root; what is plain HTTP is read" };
  }
  const paths = tls.attached().map(({ library, path }) => `${library} (${path})`);
  return { name, state: "ok", detail: `uprobes; ${paths.join(", ") || "no library on this system"}`, fix: null };
}

function checkProcess(tls: TlsTracer, pid: number): Check {
  const name = `${pid}`;
  const readable = tls.readableIn(pid);
  if (readable.length > 0) {
    const what = readable.map(({ library, path }) => `${library} (${path})`).join(", ");
    return { name, state: "ok", detail: `${commOf(pid)}: HTTPS is read at the calls of ${what}`, fix: null };
  }
  const library = tls.libraryOf(pid);
  const has = library === UNKNOWN_LIBRARY ? "none that is known" : library;
  const detail = `${commOf(pid)}: no TLS library that l7prof reads; it has ${has}`;
  return { name, state: "degraded", detail, fix: "a library that it loads later is found when it does" };
}
