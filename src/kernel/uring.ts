/**
 * Which of the programs of bpf/uring.bpf.h this kernel can have. The tracepoints of io_uring have changed their names
 * and arguments with the versions; BTF says which they are here.
 */
import { libbpf } from "./libbpf.ts";
import type { Pointer } from "./system-error.ts";

interface Candidate {
  readonly program: string;
  readonly tracepoint: string;
  readonly argumentCount: number;
}

const SUBMIT: readonly Candidate[] = [
  { program: "l7p_uring_submit", tracepoint: "io_uring_submit_req", argumentCount: 1 },
  { program: "l7p_uring_submit_sqe", tracepoint: "io_uring_submit_sqe", argumentCount: 2 }, // 6.1
];
const COMPLETE: readonly Candidate[] = [
  { program: "l7p_uring_complete", tracepoint: "io_uring_complete", argumentCount: 3 },
  { program: "l7p_uring_complete_7", tracepoint: "io_uring_complete", argumentCount: 7 }, // 6.1, 6.12
];

/** Leaves out what can't be loaded here; answers whether requests of io_uring can be read. */
export function chooseUringPrograms(object: Pointer): boolean {
  const bpf = libbpf();
  const chosen = [SUBMIT.find(isHere), COMPLETE.find(isHere)];
  const isReadable = !chosen.includes(undefined);
  for (const candidate of [...SUBMIT, ...COMPLETE]) {
    const isWanted = isReadable && chosen.includes(candidate);
    bpf.setAutoload(bpf.findProgram(object, candidate.program), isWanted);
  }
  return isReadable;
}

function isHere({ tracepoint, argumentCount }: Candidate): boolean {
  return libbpf().tracepointArguments(tracepoint) === argumentCount;
}
