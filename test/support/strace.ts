/**
 * A server whose every system call strace notes down, with the time before it began and how long it took. strace reads
 * the clock while the thread is stopped, so what a thread does itself lies between its notes, however busy the machine.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Child, startChild } from "./child.ts";
import { temporaryDirectory } from "./paths.ts";

export interface Call {
  readonly thread: string;
  readonly name: string;
  /** Its arguments, as strace prints them. */
  readonly text: string;
  readonly fd: number;
  readonly result: number;
  /** Epoch microseconds: it began after that, … */
  readonly beganUs: number;
  /** … by then the thread had not gone on, … */
  readonly returnedUs: number;
  /** … and by then it had: its next call began. */
  readonly wentOnUs: number;
}

export interface Traced extends Child {
  /** Ends it; all calls of all threads, by when they began. */
  readonly calls: () => Promise<readonly Call[]>;
}

export function startTraced(command: readonly string[]): Traced {
  const directory = temporaryDirectory();
  // -I 2: a signal that ends strace is passed on.
  const options = ["-ff", "-ttt", "-T", "-I", "2", "-s", "400", "-o", join(directory, "thread")];
  const child = startChild("strace", [...options, "--", ...command]);
  return {
    ...child,
    calls: async () => {
      await child.stop();
      const threads = readdirSync(directory).map((file) =>
        threadCalls(file, readFileSync(join(directory, file), "utf8")),
      );
      return threads.flat().toSorted((a, b) => a.beganUs - b.beganUs);
    },
  };
}

const LINE = /^(\d+)\.(\d{6}) (\w+)\((.*)\) += (-?\d+)[^<]*(?:<(\d+)\.(\d{6})>)?$/;

function threadCalls(thread: string, text: string): readonly Call[] {
  const matches = text
    .split("\n")
    .map((line) => LINE.exec(line))
    .filter((match) => match !== null);
  const began = matches.map(([, seconds, micros]) => Number(seconds) * 1e6 + Number(micros));
  return matches.map(([, , , name = "", args = "", result, tookSeconds = 0, tookMicros = 0], i) => ({
    thread,
    name,
    text: args,
    fd: Number.parseInt(args, 10),
    result: Number(result),
    beganUs: began[i]!,
    returnedUs: began[i]! + Number(tookSeconds) * 1e6 + Number(tookMicros),
    wentOnUs: began[i + 1] ?? Number.POSITIVE_INFINITY,
  }));
}
