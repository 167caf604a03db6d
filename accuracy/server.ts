/** A server under test: how it is described, started, and what its log says. */
import { copyFileSync, existsSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createCertificate } from "../test/support/certificate.ts";
import type { Child } from "../test/support/child.ts";
import { freePort } from "../test/support/free-port.ts";
import { temporaryDirectory } from "../test/support/paths.ts";
import { until } from "../test/support/until.ts";
import { type Account, type Exchange, exchangeOfLine } from "./account.ts";
import { startGated } from "./gate.ts";
import { type Ability, files, filesWritten } from "./work.ts";

const QUIET_MS = 500;

export interface Place {
  readonly directory: string;
  readonly port: number;
  /** What it passes requests on to. */
  readonly origin: Place | null;
}

export interface ServerDescription {
  readonly name: string;
  readonly abilities: readonly Ability[];
  readonly command: (place: Place) => readonly string[];
  readonly env?: (place: Place) => Readonly<Record<string, string>>;
  /** Files that it needs in its directory, by name: its configuration. */
  readonly files?: (place: Place) => Readonly<Record<string, string>>;
  /** It listens on the unix socket `http.sock` in its directory, not on its port. */
  readonly isUnix?: boolean;
  /** It speaks HTTPS, with `key.pem` and `cert.pem` in its directory, or both in `both.pem`. */
  readonly isTls?: boolean;
  readonly origin?: ServerDescription;
  /** It answers some requests without its origin. */
  readonly isCache?: boolean;
  /** It closes after each answer and does not say so before: what a client asks on such a connection it must ask again. */
  readonly closesUnannounced?: boolean;
  readonly log: LogDescription;
}

export interface LogDescription {
  /** In its directory, or what it or a second program prints. */
  readonly from: "stdout" | "stderr" | { readonly file: string } | { readonly command: (place: Place) => string[] };
  /** Waits until the second program would not miss a line. */
  readonly isReading?: (reader: Child) => Promise<unknown>;
  /** Its sizes of responses have those of interim ones in them. */
  readonly countsInterim?: boolean;
  /** Milliseconds of one unit of its durations. */
  readonly msPerUnit?: number;
  /** How finely it counts, if that is not one unit. */
  readonly resolutionMs?: number;
  /** Absent: the line of account.ts. Null: a line that tells of no exchange. */
  readonly parse?: (line: string) => Exchange | null;
}

export interface RunningServer {
  readonly description: ServerDescription;
  readonly pid: number;
  readonly place: Place;
  /** What it has logged since the last time, once that is `count` exchanges or more; so for what it passes them on to. */
  readonly logs: (count: number) => Promise<Logs>;
  readonly discardLog: () => Promise<unknown>;
  /** Waits until it logs nothing more. */
  readonly isQuiet: () => Promise<unknown>;
}

export interface Logs {
  readonly log: Account;
  readonly originLog: Account | null;
}

/** Starts it, and first what it passes requests on to; `enter` gets each process before it runs. */
export async function startServer(
  description: ServerDescription,
  enter: (pid: number) => void,
): Promise<RunningServer> {
  const origin = description.origin ? await startServer(description.origin, enter) : null;
  const place = await preparePlace(description, origin?.place ?? null);
  const env = { ROOT: place.directory, PORT: `${place.port}`, ...description.env?.(place) };
  const gated = await startGated(description.command(place), { env, cwd: place.directory });
  enter(gated.child.pid);
  await gated.release();
  await until(`${description.name} listens`, () => {
    if (!gated.child.isRunning()) throw new Error(`${description.name} ended:\n${gated.child.stderr()}`);
    return isListening(description, place);
  });
  const lines = await openLog(description.log, place, gated);
  const read = accountOfLog(description, lines);
  const logs = async (count: number) => {
    const log = await read(count);
    if (origin === null) return { log, originLog: null };
    if (description.isCache) await origin.isQuiet();
    return { log, originLog: (await origin.logs(description.isCache ? 0 : log.exchanges.length)).log };
  };
  return { description, pid: gated.child.pid, place, logs, discardLog: () => logs(0), isQuiet: () => isQuiet(lines) };
}

async function preparePlace(description: ServerDescription, origin: Place | null): Promise<Place> {
  const directory = temporaryDirectory();
  for (const [name, content] of Object.entries(files)) writeOldFile(join(directory, name), content);
  if (description.isTls) placeCertificate(directory);
  const place = { directory, port: await freePort(), origin };
  for (const [name, text] of Object.entries(description.files?.(place) ?? {}))
    writeFileSync(join(directory, name), text);
  return place;
}

function placeCertificate(directory: string): void {
  const { key, cert } = createCertificate();
  copyFileSync(key, join(directory, "key.pem"));
  copyFileSync(cert, join(directory, "cert.pem"));
  writeFileSync(join(directory, "both.pem"), Buffer.concat([readFileSync(cert), readFileSync(key)]));
}

function writeOldFile(path: string, content: Buffer): void {
  writeFileSync(path, content);
  utimesSync(path, filesWritten, filesWritten);
}

/** Looks it up instead of connecting: a connection without a request is an event to some logs. */
function isListening({ isUnix }: ServerDescription, { directory, port }: Place): boolean {
  if (isUnix) return readFileSync("/proc/net/unix", "utf8").includes(join(directory, "http.sock"));
  const address = `:${port.toString(16).toUpperCase().padStart(4, "0")} `;
  return ["tcp", "tcp6"].some((table) =>
    readFileSync(`/proc/net/${table}`, "utf8")
      .split("\n")
      .some((line) => line.includes(address) && line.split(/\s+/)[4] === "0A"),
  );
}

async function openLog(log: LogDescription, place: Place, gated: { child: Child; output: () => readonly string[] }) {
  const { from } = log;
  if (from === "stdout") return gated.output;
  if (from === "stderr") return () => linesOf(gated.child.stderr());
  if ("file" in from) return () => linesOfFile(join(place.directory, from.file));
  const reader = await startGated(from.command(place), { cwd: place.directory });
  await reader.release();
  await log.isReading?.(reader.child);
  return reader.output;
}

/** Some servers make the file with the first line. */
function linesOfFile(path: string): readonly string[] {
  return existsSync(path) ? linesOf(readFileSync(path, "utf8")) : [];
}

async function isQuiet(lines: () => readonly string[]): Promise<void> {
  for (let before = -1; before < lines().length; await sleep(QUIET_MS)) before = lines().length;
}

/** Only whole lines. */
function linesOf(text: string): readonly string[] {
  return text.split("\n").slice(0, -1);
}

function accountOfLog({ name, log }: ServerDescription, lines: () => readonly string[]) {
  const msPerUnit = log.msPerUnit ?? 1;
  const parse = log.parse ?? ((line: string) => (line.includes("\t") ? exchangeOfLine(line, msPerUnit) : null));
  let seen = 0;
  const read = () => lines().slice(seen);
  return async (count: number): Promise<Account> => {
    const text = await until(`${count} exchanges in the log of ${name}`, () => {
      const fresh = read();
      return fresh.filter((line) => parse(line) !== null).length >= count && fresh;
    }).catch(read); // too few: the comparison says which
    seen += text.length;
    const exchanges = text.map(parse).filter((found) => found !== null);
    return { by: `${name}'s log`, exchanges, ...(log.msPerUnit && { resolutionMs: log.resolutionMs ?? msPerUnit }) };
  };
}
