/**
 * Programs at perf's trace events. From kernel 7.x on they stand in for those at raw tracepoints, which can be preempted
 * there and are skipped meanwhile, see bpf/l7prof.bpf.c.
 */
import { closeSync, readFileSync } from "node:fs";
import { isKernelAtLeast } from "./kernel-version.ts";
import { libbpf } from "./libbpf.ts";
import { type Pointer, SystemError } from "./system-error.ts";

const SUFFIX = "_perf";
const SECTION = /^tp\/(.+)$/;
/** Stays there, too. */
const BESIDE = "l7p_sock_state";

/** At raw tracepoints. */
export function arePreempted(): boolean {
  return isKernelAtLeast(7, 0);
}

/** What is attached to which event, by the program's name and the event's number. Empty where nothing is preempted. */
export function chooseTraceEvents(object: Pointer): ReadonlyMap<string, number> {
  const chosen = new Map<string, number>();
  if (!arePreempted()) return chosen;
  const events = mountTracefs();
  if (events === null) return chosen;
  try {
    for (const program of libbpf().programs(object)) {
      const id = eventOf(program, events);
      if (id !== null && replaces(object, program)) chosen.set(libbpf().programName(program), id);
    }
  } finally {
    closeSync(events);
  }
  return chosen;
}

/** Null: it can't be had. */
function mountTracefs(): number | null {
  try {
    return libbpf().mount("tracefs");
  } catch (error) {
    if (error instanceof SystemError) return null;
    throw error;
  }
}

/** Null: it is for no event, or for one that this kernel does not have. */
function eventOf(program: Pointer, events: number): number | null {
  const event = SECTION.exec(libbpf().sectionName(program))?.[1];
  if (event === undefined) return null;
  try {
    return Number(readFileSync(`/proc/self/fd/${events}/events/${event}/id`, "utf8"));
  } catch {
    return null;
  }
}

/** Whether the other one is wanted: then this one is. */
function replaces(object: Pointer, program: Pointer): boolean {
  const bpf = libbpf();
  const name = bpf.programName(program).slice(0, -SUFFIX.length);
  const other = bpf.findProgram(object, name);
  if (!bpf.isAutoloaded(other)) return false;
  bpf.setAutoload(other, name === BESIDE);
  bpf.setAutoload(program, true);
  return true;
}
