/** What the files and messages of the exports must be like. */
import { createRequire } from "node:module";
import { isIPv4, isIPv6 } from "node:net";
import { Ajv } from "ajv";
import type { Sample } from "../../src/core/profile/sample.ts";
import type { SpanAttachedEvent } from "../../src/export/skywalking.ts";
import type { ZipkinSpan } from "../../src/export/zipkin-span.ts";
import { check, same } from "./property.ts";

const require = createRequire(import.meta.url);
const ajv = new Ajv({ strict: false });
ajv.addFormat("ipv4", isIPv4).addFormat("ipv6", isIPv6).addFormat("uri", URL.canParse);
ajv.addFormat("date-time", (text: string) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/.test(text));
ajv.addMetaSchema(require("ajv/dist/refs/json-schema-draft-06.json"));
ajv.addSchema(Object.values(require("har-schema")) as object[]);
const isHar = ajv.getSchema("har.json#")!;

export function checkHar(text: string, samples: readonly Sample[]): void {
  check(isWellFormed(text), "not well-formed", text);
  const har = JSON.parse(text);
  check(isHar(har) as boolean, "not HAR:", isHar.errors, har);
  const statuses = har.log.entries.map((entry: { response: { status: number } }) => entry.response.status);
  same(
    statuses,
    samples.map(({ response }) => response.status),
    "statuses, samples",
  );
}

const SECTION_HEADER = 0x0a0d0d0a;
const ENHANCED_PACKET = 6;
const FIXED_BYTES = 32;

export function checkPackets(file: Buffer): void {
  same(file.readUInt32LE(0), SECTION_HEADER, "the first block");
  let at = 0;
  while (at < file.length) {
    const [type, length] = [file.readUInt32LE(at), file.readUInt32LE(at + 4)];
    check(length >= 12 && length % 4 === 0 && at + length <= file.length, "a block of", length, "bytes at", at);
    same(file.readUInt32LE(at + length - 4), length, "the length at the end of a block");
    if (type === ENHANCED_PACKET) {
      const [captured, original] = [file.readUInt32LE(at + 20), file.readUInt32LE(at + 24)];
      check(captured <= original && captured <= length - FIXED_BYTES, "captured", captured, "of", original);
    }
    at += length;
  }
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly startTime: readonly number[];
  readonly endTime: readonly number[];
}

const TRACE_ID = /^([0-9a-f]{16}|[0-9a-f]{32})$/;
const SPAN_ID = /^[0-9a-f]{16}$/;

export function checkSpans(
  zipkin: readonly ZipkinSpan[],
  otlp: readonly OtlpSpan[],
  skywalking: readonly SpanAttachedEvent[],
): void {
  for (const span of zipkin) {
    check(TRACE_ID.test(span.traceId) && SPAN_ID.test(span.id), "ids:", span);
    const times = [
      ...(span.timestamp === undefined ? [] : [span.timestamp]),
      ...span.annotations.map((a) => a.timestamp),
    ];
    check(times.every(Number.isSafeInteger), "times:", span);
  }
  for (const span of otlp) {
    check(/^[0-9a-f]{32}$/.test(span.traceId) && SPAN_ID.test(span.spanId), "ids:", span);
    check([...span.startTime, ...span.endTime].every(Number.isSafeInteger), "times:", span);
    check(span.endTime[0]! - span.startTime[0]! >= 0, "it ends before it starts:", span);
  }
  const isText = (text: unknown) => typeof text === "string" && isWellFormed(text);
  for (const { event, tags, summary, startTime, endTime } of skywalking) {
    check(isText(event) && tags.every(({ key, value }) => isText(key) && isText(value)), "no text:", tags);
    check(
      summary.every(({ value }) => Number.isFinite(value)),
      "no number:",
      summary,
    );
    check(
      [startTime, endTime].every(({ seconds, nanos }) => seconds >= 0 && nanos >= 0 && nanos < 1e9),
      "times",
    );
  }
}

function isWellFormed(text: string): boolean {
  return Buffer.from(text).toString() === text;
}
