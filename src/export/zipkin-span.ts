/**
 * A sample as what Zipkin keeps of a span (its API, version 2). Each event becomes two annotations, `Start NAME-N` and
 * `Finished NAME-N`, and a tag NAME-N with its raw data.
 *
 * On the span that the request names this is a fragment: it has that span's ids, annotations and tags, and nothing that
 * the span has itself, so that Zipkin's merge (zipkin2.internal.Trace, span-cleaner.js of its UI) leaves all of it as it
 * is. B3 gives both ends of a call the same span id, and Zipkin tells them apart by `shared`; elsewhere the id is that of
 * the client's span, which is then where the fragments of both sides go.
 */
import { isIPv4, isIPv6 } from "node:net";
import type { Sample, SampleEvent } from "../core/profile/sample.ts";
import { microsecondsOf } from "../output/rfc3339.ts";
import { callerSpan, hexTraceId, ownIds, type SpanIds } from "./span-ids.ts";

export interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly kind?: "SERVER" | "CLIENT";
  readonly name?: string;
  /** Epoch microseconds. */
  readonly timestamp?: number;
  /** Microseconds, at least one. */
  readonly duration?: number;
  readonly localEndpoint?: ZipkinEndpoint;
  readonly remoteEndpoint?: ZipkinEndpoint;
  readonly shared?: true;
  readonly annotations: readonly { readonly timestamp: number; readonly value: string }[];
  readonly tags: Readonly<Record<string, string>>;
}

interface ZipkinEndpoint {
  readonly serviceName?: string;
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly port?: number;
}

export class ZipkinSpans {
  /** Several exchanges may name one span (retries, a proxy's two sides): their events are numbered on. */
  private readonly numbers = new Map<string, Map<string, number>>();
  private readonly withUntraced: boolean;

  constructor(withUntraced: boolean) {
    this.withUntraced = withUntraced;
  }

  /** Null if there is no span to attach it to. */
  of(sample: Sample): ZipkinSpan | null {
    const { trace } = sample;
    // A trace that is not sampled has no spans there.
    const span = trace === null || trace.sampled === false ? null : callerSpan(trace);
    if (span !== null) return this.fragment(sample, span);
    return this.withUntraced ? this.ownSpan(sample) : null;
  }

  private fragment(sample: Sample, { traceId, spanId }: SpanIds): ZipkinSpan {
    const isShared = sample.trace?.system === "b3" && sample.side === "server";
    return {
      traceId,
      id: spanId,
      ...(isShared && { shared: true }),
      ...this.details(sample, `${traceId} ${spanId} ${isShared}`),
    };
  }

  private ownSpan(sample: Sample): ZipkinSpan {
    const { side, request, response, durationMs, wire, timeUs, trace } = sample;
    const ids = ownIds(sample);
    const parent = trace === null ? null : callerSpan(trace);
    const { annotations, tags } = this.details(sample, `${ids.traceId} ${ids.spanId}`);
    const { local, remote } = endpointsOf(sample);
    return {
      traceId: (trace === null ? null : hexTraceId(trace)) ?? ids.traceId,
      id: ids.spanId,
      ...(parent !== null && { parentId: parent.spanId }),
      kind: side === "server" ? "SERVER" : "CLIENT",
      name: `${request.method} ${wire?.route ?? ""}`.trim().toLowerCase(),
      timestamp: wire ? microsecondsOf(wire.start) : Math.round(timeUs - durationMs * 1000),
      duration: Math.max(1, Math.round(durationMs * 1000)),
      localEndpoint: local,
      ...(remote !== null && { remoteEndpoint: remote }),
      annotations,
      tags: {
        "http.method": request.method,
        "http.path": request.uri.split("?")[0] ?? "",
        "http.status_code": String(response.status),
        ...(response.status >= 500 && { error: String(response.status) }),
        ...tags,
      },
    };
  }

  private details({ events }: Sample, span: string): Pick<ZipkinSpan, "annotations" | "tags"> {
    const numbers = this.numbersOf(span);
    const annotations: { timestamp: number; value: string }[] = [];
    const tags: Record<string, string> = {};
    for (const event of events) {
      const number = (numbers.get(event.name) ?? 0) + 1;
      numbers.set(event.name, number);
      const name = `${event.name}-${number}`;
      annotations.push({ timestamp: microsecondsOf(event.start), value: `Start ${name}` });
      annotations.push({ timestamp: microsecondsOf(event.end), value: `Finished ${name}` });
      tags[name] = rawData(event);
    }
    return { annotations, tags };
  }

  private numbersOf(span: string): Map<string, number> {
    const numbers = this.numbers.get(span) ?? new Map<string, number>();
    this.numbers.delete(span);
    this.numbers.set(span, numbers);
    if (this.numbers.size > MAX_SPANS) this.numbers.delete(this.numbers.keys().next().value!);
    return numbers;
  }
}

/** So many spans are remembered, the latest. */
const MAX_SPANS = 10_000;

/** What went over the connection, or of a call its figures. */
function rawData({ tags }: SampleEvent): string {
  const { data_content, data_size, thread_id, avg_rtt_time, retransmits } = tags;
  if (data_content !== undefined) return data_content;
  const parts = [
    `${data_size} bytes`,
    ...(thread_id === undefined ? [] : [`thread ${thread_id}`]),
    ...(avg_rtt_time === undefined ? [] : [`rtt ${avg_rtt_time}`]),
    ...(retransmits === undefined ? [] : [`${retransmits} retransmits`]),
  ];
  return parts.join(", ");
}

function endpointsOf({ process, peer, wire }: Sample): { local: ZipkinEndpoint; remote: ZipkinEndpoint | null } {
  const ends = wire?.connection;
  const local = { serviceName: process.comm.toLowerCase(), ...(ends && address(ends.localAddress, ends.localPort)) };
  const remote = {
    ...(peer.comm !== null && { serviceName: peer.comm.toLowerCase() }),
    ...(ends && address(ends.remoteAddress, ends.remotePort)),
  };
  return { local, remote: Object.keys(remote).length > 0 ? remote : null };
}

function address(text: string, port: number): ZipkinEndpoint {
  if (isIPv4(text)) return { ipv4: text, port };
  return isIPv6(text) ? { ipv6: text, port } : {};
}
