/**
 * `--skywalking`: the events of a sample to `SpanAttachedEventReportService.collect` of an OAP server, over gRPC. The
 * messages are those of the official definitions, which lie in proto/skywalking as they are.
 */
import { fileURLToPath } from "node:url";
import {
  type ClientWritableStream,
  credentials,
  loadPackageDefinition,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { HostPort } from "../config.ts";
import type { Sample, SampleEvent } from "../core/profile/sample.ts";
import { Delivery, RejectedError } from "./delivery.ts";
import type { Exporter, Trouble } from "./exporter.ts";
import { callerSpan } from "./span-ids.ts";

const PROTOCOL = fileURLToPath(new URL("../../proto/skywalking", import.meta.url));

export function openSkywalking({ host, port }: HostPort, onTrouble: Trouble): Exporter {
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const client = connect(address);
  const delivery = new Delivery<SpanAttachedEvent>({
    what: "events",
    onTrouble,
    send: (batch, signal) => collect(client, batch, signal),
  });
  let untraced = 0;
  return {
    name: `--skywalking ${address}`,
    sample(sample) {
      const events = attachedEvents(sample);
      if (events.length === 0) untraced++;
      for (const event of events) delivery.put(event);
    },
    async end() {
      const delivered = await delivery.end();
      client.close();
      return { ...delivered, ...(untraced > 0 && { leftOut: `${untraced} samples without a span` }) };
    },
  };
}

/** language-agent/Tracing.proto */
export interface SpanAttachedEvent {
  readonly startTime: { readonly seconds: number; readonly nanos: number };
  readonly endTime: { readonly seconds: number; readonly nanos: number };
  readonly event: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly summary: readonly { readonly key: string; readonly value: number }[];
  readonly traceContext: SpanReference;
}

interface SpanReference {
  readonly type: "SKYWALKING" | "ZIPKIN";
  readonly traceId: string;
  readonly traceSegmentId: string;
  readonly spanId: string;
}

/** None without a span that a SkyWalking backend could know. */
export function attachedEvents(sample: Sample): SpanAttachedEvent[] {
  const traceContext = spanReference(sample);
  if (traceContext === null) return [];
  return sample.events.map(({ name, start, end, tags, summary }: SampleEvent) => ({
    startTime: start,
    endTime: end,
    event: name,
    tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    summary: Object.entries(summary).map(([key, value]) => ({ key, value })),
    traceContext,
  }));
}

/** What its Zipkin receiver stores is found by hex ids, whoever sent them. */
function spanReference({ trace }: Sample): SpanReference | null {
  if (trace === null || trace.sampled === false) return null;
  if (trace.caller !== undefined) {
    const { segmentId, spanIndex } = trace.caller;
    return { type: "SKYWALKING", traceId: trace.traceId, traceSegmentId: segmentId, spanId: String(spanIndex) };
  }
  const span = callerSpan(trace);
  return span && { type: "ZIPKIN", traceId: span.traceId, traceSegmentId: "", spanId: span.spanId };
}

interface ReportClient {
  collect(
    callback: (error: ServiceError | null) => void,
  ): Pick<ClientWritableStream<SpanAttachedEvent>, "write" | "end" | "cancel">;
  close(): void;
}

function connect(address: string): ReportClient {
  const definition = loadSync("language-agent/Tracing.proto", {
    includeDirs: [PROTOCOL],
    keepCase: true,
    enums: String,
  });
  const { skywalking } = loadPackageDefinition(definition) as unknown as {
    skywalking: {
      v3: {
        SpanAttachedEventReportService: new (address: string, credentials: unknown, options: object) => ReportClient;
      };
    };
  };
  return new skywalking.v3.SpanAttachedEventReportService(address, credentials.createInsecure(), {
    "grpc.initial_reconnect_backoff_ms": 250,
    "grpc.max_reconnect_backoff_ms": 4000,
  });
}

/** One stream a batch: the answer to it says that the batch has arrived. */
function collect(client: ReportClient, batch: readonly SpanAttachedEvent[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = client.collect((error) => {
      signal.removeEventListener("abort", cancel);
      if (error === null) resolve();
      else reject(isFinal(error) ? new RejectedError(wordsOf(error)) : new Error(wordsOf(error)));
    });
    const cancel = () => stream.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    for (const event of batch) stream.write(event);
    stream.end();
  });
}

/** Of "No connection established. Last error: …. Resolution note: …" what matters. */
function wordsOf({ details, message }: ServiceError): string {
  return /Last error: (?:Error: )?(.*?)\.? Resolution note/.exec(details)?.[1] ?? (details || message);
}

/** There is no such service, or it will not have this message. */
function isFinal({ code }: ServiceError): boolean {
  return code === status.UNIMPLEMENTED || code === status.INVALID_ARGUMENT || code === status.UNAUTHENTICATED;
}
