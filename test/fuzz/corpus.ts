/** What mutation begins with: the cases of the parser, and what real servers and clients said. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RecordCursor } from "../../src/core/decode.ts";
import { EVENT_DATA, FLAG_WRITE } from "../../src/core/record-layout.ts";
import { RecordingSource } from "../../src/recording/reader.ts";
import { parseCase } from "../core/http1/case-file.ts";
import { inRepo } from "../support/paths.ts";

export type Kind = "request" | "response";

const MAX_CASE_BYTES = 4096;
const RECORDINGS = inRepo("test/fixtures/recordings");

export const recordings: readonly Buffer[] = filesBelow(RECORDINGS, ".l7prof").map((file) => readFileSync(file));

/** Streams of messages, by direction. */
export const corpus: Readonly<Record<Kind, readonly Uint8Array[]>> = { request: [], response: [] };

for (const file of filesBelow(inRepo("test/fixtures/http1"), ".case")) {
  const { direction, steps } = parseCase(readFileSync(file, "utf8"));
  const bytes = Buffer.concat(steps.flatMap((step) => (step.kind === "bytes" ? [step.bytes] : [])));
  if (bytes.length <= MAX_CASE_BYTES) add(direction, bytes);
}
for (const file of filesBelow(RECORDINGS, ".l7prof")) await addRecording(file);

/** What the server's side said, or the client's, of each call a piece. */
async function addRecording(file: string): Promise<void> {
  const source = new RecordingSource(file);
  const reader = { onRelease() {}, onTick() {}, onLost() {}, onWarning() {}, onRecord: addCall };
  await source.run(reader);
  source.close();
}

function addCall(record: RecordCursor): void {
  if (record.kind !== EVENT_DATA || record.headBytes === 0) return;
  const bytes = record.bytes.slice(record.payload, record.payload + Math.min(record.headBytes, MAX_CASE_BYTES));
  const isAnswer = Buffer.from(bytes.subarray(0, 5)).toString("latin1") === "HTTP/";
  if (isAnswer || (record.flags & FLAG_WRITE) === 0) add(isAnswer ? "response" : "request", bytes);
}

function add(kind: Kind, bytes: Uint8Array): void {
  (corpus[kind] as Uint8Array[]).push(bytes);
}

function filesBelow(directory: string, extension: string): string[] {
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" });
  return files.filter((file) => file.endsWith(extension)).map((file) => join(directory, file));
}
