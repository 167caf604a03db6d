/**
 * An exchange as events of a span: the request and the response, each from its first byte to its last, and the socket
 * calls that carried them. Names, tags and summary are those of SkyWalking Rover; sizes are bytes, times nanoseconds.
 */
import type { ConnectionInfo } from "./connection-info.ts";
import type { Exchange } from "./exchange.ts";
import type { Instant } from "./profile/instant.ts";
import type { ProcessInfo, Side } from "./profile/parties.ts";
import type { SampledMessage, SampledRequest, SampledResponse, SampleEvent } from "./profile/sample.ts";
import type { SocketCall, WireMessage, WireSample } from "./profile/wire.ts";
import {
  CALL_READ,
  CALL_READV,
  CALL_RECVFROM,
  CALL_RECVMMSG,
  CALL_RECVMSG,
  CALL_SENDFILE,
  CALL_SENDMMSG,
  CALL_SENDMSG,
  CALL_SENDTO,
  CALL_SPLICE,
  CALL_SPLICE_READ,
  CALL_TLS,
  CALL_WRITE,
  CALL_WRITEV,
} from "./record-layout.ts";

export interface EventContext {
  readonly side: Side;
  readonly process: ProcessInfo;
  readonly connection: ConnectionInfo;
  readonly request: SampledRequest;
  readonly response: SampledResponse;
  readonly toInstant: (monotonicNs: number) => Instant;
}

type Kind = "request" | "response";

export function sampleEvents(exchange: Exchange, wire: WireSample, context: EventContext): SampleEvent[] {
  const { requestStartNs, requestEndNs, responseStartNs, responseEndNs } = exchange;
  // An early response begins before its request has ended.
  const answering = wire.response.calls[0];
  const asked = wire.request.calls.findLast(({ timeNs }) => answering === undefined || timeNs <= answering.timeNs);
  return [
    messageEvent("request", requestStartNs, Math.max(requestEndNs, requestStartNs), wire.request, context),
    messageEvent("response", responseStartNs, responseEndNs, wire.response, context),
    ...callEvents("request", wire.request, undefined, context),
    ...callEvents("response", wire.response, asked, context),
  ];
}

function messageEvent(
  kind: Kind,
  startNs: number,
  endNs: number,
  wire: WireMessage,
  context: EventContext,
): SampleEvent {
  const message = context[kind];
  const content = contentOf(kind, context);
  return {
    name: kind === "request" ? "HTTP Request Sampling" : "HTTP Response Sampling",
    start: context.toInstant(startNs),
    end: context.toInstant(endNs),
    tags: {
      data_size: String(message.bytes),
      ...(content !== null && { data_content: content }),
      data_direction: directionOf(kind, context.side),
      data_type: kind,
      connection_role: context.side,
      ...entityTags(context),
    },
    summary: {
      data_size: message.bytes,
      call_count: wire.callCount,
      longest_wait_ns: longestWaitNs(wire.calls),
      ...longestCall(wire.calls),
    },
  };
}

/** Between two calls of the message: one that was blocked or written bit by bit has a long one. */
function longestWaitNs(calls: readonly SocketCall[]): number {
  return calls.reduce((longest, call, i) => (i === 0 ? 0 : Math.max(longest, call.timeNs - calls[i - 1]!.timeNs)), 0);
}

/** If the calls were timed: one that was blocked is a long one. */
function longestCall(calls: readonly SocketCall[]): { longest_call_ns?: number } {
  const times = calls.flatMap(({ startNs, timeNs }) => (startNs === null ? [] : [timeNs - startNs]));
  return times.length === 0 ? {} : { longest_call_ns: Math.max(...times) };
}

function callEvents(
  kind: Kind,
  { calls }: WireMessage,
  before: SocketCall | undefined,
  context: EventContext,
): SampleEvent[] {
  return calls.map((call, i) => {
    const previous = i === 0 ? before : calls[i - 1];
    const retransmits = retransmitsBetween(previous, call);
    return {
      name: nameOf(call, kind, context),
      // Where calls are not timed, they are seen when they return.
      start: call.startNs === null ? call.time : context.toInstant(call.startNs),
      end: call.time,
      tags: {
        data_size: String(call.bytes),
        data_direction: directionOf(kind, context.side),
        data_type: kind,
        thread_id: String(call.threadId),
        ...(call.srttUs > 0 && { avg_rtt_time: `${call.srttUs * 1000}ns` }),
        ...(retransmits !== null && { retransmits: String(retransmits) }),
        ...entityTags(context),
      },
      summary: {
        data_size: call.bytes,
        // Calls of several threads return in another order than their bytes went.
        ...(previous && { wait_ns: Math.max(0, call.timeNs - previous.timeNs) }),
        ...(call.srttUs > 0 && { srtt_ns: call.srttUs * 1000 }),
        ...(retransmits !== null && { retransmits }),
      },
    };
  });
}

function nameOf({ call }: SocketCall, kind: Kind, { side }: EventContext): string {
  if (call === CALL_TLS) return (kind === "request") === (side === "client") ? "TLS Write" : "TLS Read";
  return `Syscall ${CALL_NAMES.get(call) ?? call}`;
}

/** Null where the kernel side did not count, as in old recordings and on unix sockets. */
function retransmitsBetween(before: SocketCall | undefined, call: SocketCall): number | null {
  if (call.retransmitCount === null || before === undefined || before.retransmitCount === null) return null;
  return (call.retransmitCount - before.retransmitCount) & 0xff;
}

function directionOf(kind: Kind, side: Side): "inbound" | "outbound" {
  return (kind === "request") === (side === "server") ? "inbound" : "outbound";
}

function entityTags({ process, connection }: EventContext): Record<string, string> {
  return {
    service_name: process.comm,
    service_instance_name: `${process.pid}@${connection.localAddress || "unix"}`,
    process_name: process.comm,
  };
}

/** What was kept of it, as text; null if nothing was. */
function contentOf(kind: Kind, { request, response }: EventContext): string | null {
  const startLine =
    kind === "request"
      ? `${request.method} ${request.uri} HTTP/${request.version}`
      : `HTTP/${response.version} ${response.status} ${response.reason}`;
  const { headers, body, bodyEncoding }: SampledMessage = kind === "request" ? request : response;
  if (headers.length === 0 && body === "") return null;
  const head = [startLine, ...headers.map(([name, value]) => `${name}: ${value}`)].join("\r\n");
  return `${head}\r\n\r\n${bodyEncoding === "base64" ? `[base64] ${body}` : body}`;
}

const CALL_NAMES = new Map([
  [CALL_READ, "Read"],
  [CALL_READV, "Readv"],
  [CALL_RECVFROM, "Recvfrom"],
  [CALL_RECVMSG, "RecvMsg"],
  [CALL_RECVMMSG, "RecvMMsg"],
  [CALL_WRITE, "Write"],
  [CALL_WRITEV, "Writev"],
  [CALL_SENDTO, "Sendto"],
  [CALL_SENDMSG, "SendMsg"],
  [CALL_SENDMMSG, "SendMMSg"],
  [CALL_SENDFILE, "SendFile"],
  [CALL_SPLICE, "Splice"],
  [CALL_SPLICE_READ, "Splice"],
]);
