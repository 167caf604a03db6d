/** Sessions over records from a script, recorded to a file, and over recordings. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RecordCursor } from "../../src/core/decode.ts";
import type { Place } from "../../src/core/profile/parties.ts";
import type { Ended } from "../../src/core/profile/window.ts";
import { outputs } from "../../src/output/index.ts";
import { RecordingSource } from "../../src/recording/reader.ts";
import { RecordingWriter } from "../../src/recording/writer.ts";
import { Session } from "../../src/session.ts";
import type { Source } from "../../src/source.ts";
import { together, type View, writtenView } from "../../src/view.ts";
import { config } from "../cli/terminal.ts";
import { Wire } from "../core/wire.ts";

/** Where one of the processes runs. */
const PLACES: Readonly<Record<number, Place>> = {
  10: { container: { id: "a".repeat(64), runtime: "docker", name: "shop", pod: null }, unit: "shop.service" },
};

export const START = {
  startNs: 5e12,
  startUs: 1_700_000_000_000_000,
  targets: [{ pid: 10, comm: "server" }],
} as const;

export interface Live {
  readonly wire: Wire;
  readonly session: Session;
  /** What the session has asked of its source. */
  readonly stops: Ended[];
}

/**
 * Runs `script` as a live session, which records; answers its output and the recording. `isTicking`: as in a replay.
 * `lookingOn`: a view beside that of the output.
 */
export function record(
  script: (live: Live) => void,
  flags = "--json --interval 0",
  isTicking = false,
  lookingOn?: View,
): { output: string; bytes: Buffer } {
  return withFile(Buffer.alloc(0), (file) => {
    const stops: Ended[] = [];
    const names = new Map([[12, "asked"]]);
    const source: Source = {
      ...START,
      run: () => Promise.reject(new Error("the script runs it")),
      stop: (ended) => void stops.push(ended),
      ignore: () => undefined,
      pass: () => undefined,
      nameOf: (pid) => names.get(pid) ?? "",
      placeOf: (pid) => PLACES[pid] ?? {},
      progress: () => null,
      tlsLibraryOf: () => "a library",
      dropReasonOf: (reason) => `REASON_${reason}`,
      close: () => undefined,
    };
    const written: string[] = [];
    const recording = new RecordingWriter(file, { l7prof: "0.1.0", ...START });
    const settings = config(`-p 10 ${flags}`);
    const to = { write: (text: string) => void written.push(text), tell: () => undefined, close: () => undefined };
    const output = writtenView(outputs[settings.view.format](settings.view), to);
    const view = lookingOn ? together(output, lookingOn) : output;
    const session = new Session(settings, source, view, recording, () => null);
    const cursor = new RecordCursor();
    let lastNs: number = START.startNs;
    const wire = new Wire((bytes) => {
      cursor.setMemory(bytes.buffer);
      cursor.moveTo(0);
      lastNs = Math.max(lastNs, cursor.timeNs);
      if (isTicking) session.onTick(lastNs);
      session.onRecord(cursor);
      session.onRelease();
    });
    wire.timeNs = START.startNs;
    session.start({ l7prof: "0.1.0", targets: START.targets, rules: settings.rules });
    script({ wire, session, stops });
    session.finish("signal", wire.timeNs);
    return { output: written.join(""), bytes: readFileSync(file) };
  });
}

export interface Replayed {
  readonly output: string;
  readonly told: string;
  /** What `run` would throw. */
  readonly error: unknown;
}

/** As run.ts does it. */
export async function replay(recording: Uint8Array, flags = "--json --interval 0"): Promise<Replayed> {
  return withFile(recording, (file) => replayFile(file, flags));
}

export async function replayFile(
  file: string,
  flags = "--json --interval 0",
  open = (path: string) => new RecordingSource(path),
): Promise<Replayed> {
  const written: string[] = [];
  const told: string[] = [];
  const outcome = (error: unknown): Replayed => ({ output: written.join(""), told: told.join(""), error });
  let source: RecordingSource | undefined;
  try {
    const settings = config(`replay ${file} ${flags}`);
    source = open(file);
    const view = writtenView(outputs[settings.view.format](settings.view), {
      write: (text) => void written.push(text),
      tell: (text) => void told.push(text),
      close: () => undefined,
    });
    const session = new Session(settings, source, view, null, () => null);
    session.start({ l7prof: "0.1.0", targets: source.targets, rules: settings.rules });
    const { ended, endNs } = await source.run(session);
    session.finish(ended, endNs);
    source.checkWhole();
    return outcome(undefined);
  } catch (error) {
    return outcome(error);
  } finally {
    source?.close();
  }
}

export interface Line {
  readonly type: string;
  readonly [key: string]: unknown;
}

export function lines(output: string): Line[] {
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

export function summaryOf(output: string): Line {
  return lines(output).find((line) => line.type === "summary") ?? { type: "none" };
}

/** Where files cost no disk; there are many of them. */
export const MEMORY = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

function withFile<T>(content: Uint8Array, use: (file: string) => T): T {
  const directory = mkdtempSync(join(MEMORY, "l7prof-"));
  const file = join(directory, "recording");
  writeFileSync(file, content);
  const remove = () => rmSync(directory, { recursive: true });
  const result = use(file);
  if (result instanceof Promise) return result.finally(remove) as T;
  remove();
  return result;
}
