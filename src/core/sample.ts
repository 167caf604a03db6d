/** An exchange as evidence: what was kept of it, read, redacted and put into words. */
import type { Exchange, RawMessage } from "./exchange.ts";
import { dechunk } from "./http1/dechunk.ts";
import { type ReadHead, readHead } from "./http1/read-head.ts";
import type {
  Header,
  PeerInfo,
  ProcessInfo,
  Sample,
  SampledMessage,
  SampleEvent,
  SampleReason,
  SamplingRule,
  Side,
} from "./profile.ts";
import { redactBody, redactHeaders, redactTarget } from "./redact.ts";
import { traceContext } from "./trace.ts";

const NS_PER_MS = 1e6;

export interface SampleContext {
  readonly side: Side;
  readonly process: ProcessInfo;
  readonly peer: PeerInfo;
  readonly rule: SamplingRule;
  readonly reasons: readonly SampleReason[];
  readonly showSecrets: boolean;
  readonly toEpochUs: (monotonicNs: number) => number;
}

export function buildSample(exchange: Exchange, context: SampleContext): Sample {
  const { side, process, peer, rule, reasons } = context;
  const request = readMessage(exchange.request, "request", rule.keep !== "response" && rule.keep !== "none", context);
  const response = readMessage(exchange.response, "response", rule.keep !== "request" && rule.keep !== "none", context);
  const uri = request.head.target === "" ? exchange.target.path : request.head.target;
  return {
    timeUs: context.toEpochUs(exchange.responseEndNs),
    reasons,
    rule: rule.uriRegex,
    side,
    process,
    peer,
    protocol: "http",
    durationMs: (exchange.responseEndNs - exchange.requestStartNs) / NS_PER_MS,
    ttfbMs: (exchange.responseStartNs - exchange.requestStartNs) / NS_PER_MS,
    request: {
      method: exchange.method,
      uri: context.showSecrets ? uri : redactTarget(uri),
      ...request.message(exchange.requestHeaderBytes, exchange.requestBytes, rule.maxRequestBytes),
    },
    response: {
      status: exchange.status,
      reason: response.head.reason,
      ...response.message(exchange.responseHeaderBytes, exchange.responseBytes, rule.maxResponseBytes),
    },
    trace: traceContext(request.head.headers),
    events: sampleEvents(exchange, context),
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

/** What the exchange adds to a span: the request and the response, each from its first byte to its last. */
function sampleEvents(exchange: Exchange, { side, toEpochUs }: SampleContext): SampleEvent[] {
  const [requestWay, responseWay] = side === "server" ? ["inbound", "outbound"] : ["outbound", "inbound"];
  const tags = (bytes: number, direction: string) => ({ data_size: String(bytes), data_direction: direction });
  return [
    {
      name: "HTTP Request Sampling",
      startUs: toEpochUs(exchange.requestStartNs),
      endUs: toEpochUs(exchange.requestEndNs),
      tags: tags(exchange.requestBytes, requestWay),
    },
    {
      name: "HTTP Response Sampling",
      startUs: toEpochUs(exchange.responseStartNs),
      endUs: toEpochUs(exchange.responseEndNs),
      tags: tags(exchange.responseBytes, responseWay),
    },
  ];
}
