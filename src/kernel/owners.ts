/**
 * Whose the connections are that are open already: a BPF iterator goes once over all descriptors of all processes, in
 * the kernel, and notes down the owners of sockets where those of later connections go (bpf/peer.bpf.h).
 */
import { closeSync, readSync } from "node:fs";
import { libbpf } from "./libbpf.ts";
import { type Pointer, SystemError } from "./system-error.ts";

export const OWNERS_PROGRAM = "l7p_owners";

/** Without them, peers of open connections have no name; that is no reason not to run. */
export function learnOwners(program: Pointer): void {
  const bpf = libbpf();
  try {
    const link = bpf.attach(program);
    try {
      run(bpf.createIterator(bpf.linkFd(link)));
    } finally {
      bpf.destroyLink(link);
    }
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}

/** It writes nothing; EAGAIN says that there is more to go over. */
function run(fd: number): void {
  const buffer = Buffer.alloc(64);
  try {
    for (let isMore = true; isMore; ) isMore = readOnce(fd, buffer);
  } finally {
    closeSync(fd);
  }
}

function readOnce(fd: number, buffer: Buffer): boolean {
  try {
    return readSync(fd, buffer) > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    return true;
  }
}
