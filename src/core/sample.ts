/** An exchange as evidence: what was kept of it, read, redacted and put into words. */
import type { CallLog } from "./calls.ts";
import type { ConnectionInfo } from "./connection-info.ts";
import { sampleEvents } from "./events.ts";
import type { Exchange, RawMessage } from "./exchange.ts";
import { dechunk } from "./http1/dechunk.ts";
import { type ReadHead, readHead } from "./http1/read-head.ts";
import type { Instant } from "./profile/instant.ts";
import type { PeerInfo, ProcessInfo, Protocol, Side } from "./profile/parties.ts";
import type { Header, Sample, SampledMessage, SampleReason } from "./profile/sample.ts";
import type { SamplingRule } from "./profile/start.ts";
import type { TraceContext } from "./profile/trace.ts";
import type { WireSample } from "./profile/wire.ts";
import { redactBody, redactHeaders, redactTarget } from "./redact.ts";
import { readTrace } from "./trace/trace.ts";
import { maskedBytes } from "./wire-image.ts";

const NS_PER_MS = 1e6;

export interface SampleContext {
  readonly side: Side;
  readonly process: ProcessInfo;
  readonly peer: PeerInfo;
  readonly protocol: Protocol;
  readonly rule: SamplingRule;
  readonly reasons: readonly SampleReason[];
  readonly connection: ConnectionInfo;
  readonly showSecrets: boolean;
  readonly keepsWire: boolean;
  readonly toEpochUs: (monotonicNs: number) => number;
  readonly toInstant: (monotonicNs: number) => Instant;
  /** Of several trace contexts, which one is shown. */
  readonly isWanted?: (context: TraceContext) => boolean;
}

export function buildSample(exchange: Exchange, context: SampleContext): Sample {
  const { side, process, peer, protocol, rule, reasons } = context;
  const isKept = { request: keeps(rule, "request"), response: keeps(rule, "response") };
  const requestRaw = readMessage(exchange.request, "request", isKept.request, context);
  const responseRaw = readMessage(exchange.response, "response", isKept.response, context);
  const uri = requestRaw.head.target === "" ? exchange.target.path : requestRaw.head.target;
  const request = {
    method: exchange.method,
    uri: context.showSecrets ? uri : redactTarget(uri),
    ...requestRaw.message(exchange.requestHeaderBytes, exchange.requestBytes, rule.maxRequestBytes),
  };
  const response = {
    status: exchange.status,
    reason: responseRaw.head.reason,
    ...responseRaw.message(exchange.responseHeaderBytes, exchange.responseBytes, rule.maxResponseBytes),
  };
  const { trace, problems } = readTrace(requestRaw.head.headers, context.isWanted);
  const wire = wireOf(exchange, isKept, context);
  return {
    timeUs: context.toEpochUs(exchange.responseEndNs),
    reasons,
    rule: rule.uriRegex,
    side,
    process,
    peer,
    protocol,
    durationMs: (exchange.responseEndNs - exchange.requestStartNs) / NS_PER_MS,
    ttfbMs: (exchange.responseStartNs - exchange.requestStartNs) / NS_PER_MS,
    request,
    response,
    trace,
    traceProblems: problems,
    events: sampleEvents(exchange, wire, { request, response, ...context }),
    wire,
  };
}

function keeps(rule: SamplingRule, part: "request" | "response"): boolean {
  return rule.keep === part || rule.keep === "both";
}

function wireOf(
  exchange: Exchange,
  isKept: { request: boolean; response: boolean },
  { connection, rule, showSecrets, keepsWire, toInstant }: SampleContext,
): WireSample {
  const bytes = (raw: RawMessage, kind: "request" | "response", limit: number) =>
    keepsWire ? maskedBytes(raw.view, kind, isKept[kind] ? limit : 0, showSecrets) : undefined;
  const { requestCalls, responseCalls } = exchange;
  const message = (calls: CallLog, kept: Uint8Array | undefined) => ({
    position: calls.messagePosition >>> 0,
    callCount: calls.count,
    calls: calls.calls().map((call) => ({ ...call, time: toInstant(call.timeNs) })),
    ...(kept && { bytes: kept }),
  });
  const { id, localAddress, localPort, remoteAddress, remotePort, isUnix } = connection;
  return {
    connection: { id, localAddress, localPort, remoteAddress, remotePort, isUnix },
    route: exchange.target.template,
    start: toInstant(exchange.requestStartNs),
    request: message(requestCalls, bytes(exchange.request, "request", rule.maxRequestBytes)),
    response: message(responseCalls, bytes(exchange.response, "response", rule.maxResponseBytes)),
  };
}

function readMessage(raw: RawMessage, kind: "request" | "response", isKept: boolean, context: SampleContext) {
  const bytes = raw.view;
  const head = readHead(bytes, kind);
  return {
    head,
    message: (headerBytes: number, totalBytes: number, limit: number): SampledMessage => {
      const kept = isKept ? bytes.subarray(0, limit) : bytes.subarray(0, 0);
      const shown = isKept && kept.length < bytes.length ? readHead(kept, kind) : head;
      const truncated = kept.length < totalBytes;
      return {
        version: `1.${head.minorVersion}`,
        headers: isKept ? shownHeaders(shown, context) : [],
        bytes: totalBytes,
        headerBytes,
        bodyBytes: totalBytes - headerBytes,
        ...readBody(kept.subarray(Math.min(shown.headBytes, kept.length)), shown, truncated, context),
        truncated,
      };
    },
  };
}

function shownHeaders(head: ReadHead, context: SampleContext): readonly Header[] {
  return context.showSecrets ? head.headers : redactHeaders(head.headers);
}

function readBody(
  bytes: Uint8Array,
  head: ReadHead,
  isCut: boolean,
  context: SampleContext,
): Pick<SampledMessage, "body" | "bodyEncoding"> {
  const isChunked = /\bchunked\b/i.test(headerOf(head, "transfer-encoding") ?? "");
  const content = isChunked ? dechunk(bytes).body : bytes;
  const text = decodeText(content, isCut);
  if (text === null) return { body: base64(content), bodyEncoding: "base64" };
  return {
    body: context.showSecrets ? text : redactBody(text, headerOf(head, "content-type")),
    bodyEncoding: "utf8",
  };
}

function headerOf(head: ReadHead, lowercaseName: string): string | null {
  return head.headers.find(([name]) => name.toLowerCase() === lowercaseName)?.[1] ?? null;
}

/** Null if it is not UTF-8; a character that was cut in two at the end is left out. */
function decodeText(bytes: Uint8Array, isCut: boolean): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: isCut });
  } catch {
    return null;
  }
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
