/** Backends made from the official definitions: what they were sent, as they understand it. */
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { type handleClientStreamingCall, loadPackageDefinition, Server, ServerCredentials } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { SpanAttachedEvent } from "../../src/export/skywalking.ts";
import { onCleanup } from "./cleanup.ts";
import { inRepo } from "./paths.ts";

/** The collector's own messages, compiled from opentelemetry-proto, in a release of OpenTelemetry's transformer that still had them. */
const { opentelemetry } = createRequire(import.meta.url)("otlp-definitions/build/src/generated/root.js");
const { ExportTraceServiceRequest } = opentelemetry.proto.collector.trace.v1;
const { ExportMetricsServiceRequest } = opentelemetry.proto.collector.metrics.v1;

// biome-ignore lint/suspicious/noExplicitAny: what a protobuf decoder gives
type Decoded = any;

export interface OtlpReceiver {
  readonly port: number;
  readonly url: string;
  readonly spans: { readonly resource: Record<string, unknown>; readonly span: Decoded }[];
  /** The latest of each name and service: they are cumulative. */
  readonly metrics: Map<string, Decoded>;
  readonly close: () => Promise<void>;
}

export async function startOtlpReceiver(port = 0): Promise<OtlpReceiver> {
  const spans: OtlpReceiver["spans"] = [];
  const metrics: OtlpReceiver["metrics"] = new Map();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      const body = Buffer.concat(parts);
      if (request.url === "/v1/traces") {
        for (const { resource, scopeSpans } of plain(ExportTraceServiceRequest, body).resourceSpans) {
          for (const each of scopeSpans)
            for (const span of each.spans) spans.push({ resource: attributes(resource.attributes), span });
        }
      } else if (request.url === "/v1/metrics") {
        for (const { resource, scopeMetrics } of plain(ExportMetricsServiceRequest, body).resourceMetrics) {
          const service = attributes(resource.attributes)["service.name"];
          for (const each of scopeMetrics)
            for (const metric of each.metrics) metrics.set(`${service} ${metric.name}`, metric);
        }
      }
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
    });
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onCleanup(close);
  const taken = (server.address() as AddressInfo).port;
  return { port: taken, url: `http://127.0.0.1:${taken}`, spans, metrics, close };
}

function plain(type: Decoded, body: Buffer): Decoded {
  return type.toObject(type.decode(body), { longs: Number, bytes: String, defaults: true, arrays: true });
}

/** OTLP's list of key and value as an object. */
export function attributes(list: readonly { key: string; value: Record<string, Decoded> }[]): Record<string, unknown> {
  return Object.fromEntries(
    list.map(({ key, value }) => {
      const kind = Object.keys(value).find((name) => name.endsWith("Value") && value[name] !== null);
      return [key, kind === undefined ? null : value[kind]];
    }),
  );
}

export function hex(base64: string): string {
  return Buffer.from(base64, "base64").toString("hex");
}

export interface SkywalkingServer {
  readonly port: number;
  readonly events: SpanAttachedEvent[];
  readonly close: () => Promise<void>;
}

export async function startSkywalking(port = 0): Promise<SkywalkingServer> {
  const definition = loadSync("language-agent/Tracing.proto", {
    includeDirs: [inRepo("proto/skywalking")],
    keepCase: true,
    enums: String,
    longs: Number,
    defaults: true,
  });
  // biome-ignore lint/suspicious/noExplicitAny: grpc-js types a loaded package as a tree of anything
  const { skywalking } = loadPackageDefinition(definition) as any;
  const events: SpanAttachedEvent[] = [];
  const collect: handleClientStreamingCall<SpanAttachedEvent, object> = (call, callback) => {
    const received: SpanAttachedEvent[] = [];
    call.on("data", (event) => received.push(event));
    call.on("end", () => {
      events.push(...received);
      callback(null, { commands: [] });
    });
  };
  const server = new Server();
  server.addService(skywalking.v3.SpanAttachedEventReportService.service, { collect });
  const taken = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const close = async () => server.forceShutdown();
  onCleanup(close);
  return { port: taken, events, close };
}
