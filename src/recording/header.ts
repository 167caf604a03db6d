/** The header of a recording, which may be damaged, or the beginning of some other file. */
import { MAGIC, MAX_HEADER_BYTES, type RecordingHeader } from "./format.ts";

/** And where the entries begin. @throws Error if it is none */
export function headerOf(bytes: Buffer): { header: RecordingHeader; end: number } {
  const length = bytes.length >= 16 && bytes.toString("latin1", 0, 8) === MAGIC ? bytes.readUInt32LE(8) : 0;
  const end = 16 + length;
  if (length === 0 || length % 8 !== 0 || length > MAX_HEADER_BYTES || end > bytes.length) throw new Error("no header");
  const header = JSON.parse(bytes.toString("utf8", 16, end)) as RecordingHeader;
  if (!isHeader(header)) throw new Error("another header");
  return { header, end };
}

function isHeader({ startNs, startUs, targets }: RecordingHeader): boolean {
  return isTime(startNs) && isTime(startUs) && Array.isArray(targets) && targets.every(isTarget);
}

/** As integers no clock goes further. */
function isTime(value: number): boolean {
  return typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

function isTarget(target: Readonly<Record<string, unknown>>): boolean {
  const { pid, comm, cgroup, port, all } = target;
  const isNumber = (value: unknown) => value === undefined || typeof value === "number";
  const isText = (value: unknown) => value === undefined || typeof value === "string";
  return isNumber(pid) && isNumber(port) && isText(comm) && isText(cgroup) && (all === undefined || all === true);
}
