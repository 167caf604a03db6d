/** What is sent to Zipkin: within the limits of its OpenAPI definition (zipkin2-api.yaml), on the span that was meant. */
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import type { Sample } from "../../src/core/profile/sample.ts";
import { type ZipkinSpan, ZipkinSpans } from "../../src/export/zipkin-span.ts";
import { answer, get } from "../core/messages.ts";
import { startProfiling } from "../core/profiling.ts";

const T128 = "463ac35c9f6413ad48485a3953bb6124";
const T64 = "a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const SW8 = "sw8: 1-VFJBQ0VJRA==-U0VHTUVOVElE-3-c2VydmljZQ==-aW5zdGFuY2U=-L2FwcA==-MTI3LjAuMC4xOjgwODA=";
const B3 = `b3: ${T128}-${SPAN}-1`;
const W3C = `traceparent: 00-${T128}-${SPAN}-01`;

function sampleOf(header: string, side: "server" | "client" = "server"): Sample {
  const { wire, samples } = startProfiling();
  const asked = get("/a/1").replace("\r\n\r\n", header === "" ? "\r\n\r\n" : `\r\n${header}\r\n\r\n`);
  if (side === "server") wire.connection({ local: "10.0.0.1:80" }).read(asked).write(answer(503, "no"));
  else
    wire.connection({ local: "[2001:db8::1]:4000", remote: "[2001:db8::2]:80" }).write(asked).read(answer(503, "no"));
  return samples[0]!;
}

const id = (least: number, most: number) => ({
  type: "string",
  pattern: `^[0-9a-f]{${least}}(?:[0-9a-f]{${most - least}})?$`,
});
const endpoint = {
  type: "object",
  properties: {
    serviceName: { type: "string", pattern: "^[^A-Z]+$" },
    ipv4: { type: "string" },
    ipv6: { type: "string" },
    port: { type: "integer", minimum: 1, maximum: 65_535 },
  },
  additionalProperties: false,
};
const limits = new Ajv().compile({
  type: "object",
  required: ["traceId", "id"],
  properties: {
    traceId: id(16, 32),
    id: id(16, 16),
    parentId: id(16, 16),
    kind: { enum: ["CLIENT", "SERVER", "PRODUCER", "CONSUMER"] },
    name: { type: "string", pattern: "^[^A-Z]+$" },
    timestamp: { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
    duration: { type: "integer", minimum: 1 },
    shared: { type: "boolean" },
    localEndpoint: endpoint,
    remoteEndpoint: endpoint,
    annotations: {
      type: "array",
      items: {
        type: "object",
        required: ["timestamp", "value"],
        properties: { timestamp: { type: "integer" }, value: { type: "string" } },
        additionalProperties: false,
      },
    },
    tags: { type: "object", additionalProperties: { type: "string" } },
  },
  additionalProperties: false,
});

function within(span: ZipkinSpan | null): ZipkinSpan | null {
  if (span !== null) limits(span);
  expect(limits.errors ?? null).toBeNull();
  return span;
}

describe("a span that Zipkin may know", () => {
  it.each<[string, string, "server" | "client", object]>([
    ["B3, the server's half", B3, "server", { traceId: T128, id: SPAN, shared: true }],
    ["B3, the client's", B3, "client", { traceId: T128, id: SPAN }],
    ["B3, 64 bits", `b3: ${T64}-${SPAN}`, "client", { traceId: T64, id: SPAN }],
    ["W3C: the client's span, also seen from the server", W3C, "server", { traceId: T128, id: SPAN }],
    ["Jaeger", `uber-trace-id: ${T64}:abc:0:1`, "server", { traceId: T64, id: "0000000000000abc" }],
    [
      "X-Ray",
      `X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=${SPAN};Sampled=1`,
      "server",
      { traceId: "5759e988bd862e3fe1be46a994272793", id: SPAN },
    ],
    [
      "Datadog",
      "x-datadog-trace-id: 11803532876627986230\r\nx-datadog-parent-id: 67667974448284343",
      "server",
      { traceId: T64, id: SPAN },
    ],
  ])("%s", (_name, header, side, ids) => {
    const span = within(new ZipkinSpans(false).of(sampleOf(header, side)));
    const { annotations, tags, ...self } = span!;
    expect(self).toEqual(ids);
    expect(annotations.slice(0, 4).map(({ value }) => value)).toEqual([
      "Start HTTP Request Sampling-1",
      "Finished HTTP Request Sampling-1",
      "Start HTTP Response Sampling-1",
      "Finished HTTP Response Sampling-1",
    ]);
    expect(tags["HTTP Response Sampling-1"]).toMatch(/^HTTP\/1\.1 503/);
  });

  it.each([
    ["none", ""],
    ["SkyWalking's", SW8],
    ["one that is not sampled", `b3: ${T128}-${SPAN}-0`],
    ["a load balancer's, which names no span", "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793"],
  ])("is not: %s", (_name, header) => {
    expect(new ZipkinSpans(false).of(sampleOf(header))).toBeNull();
    expect(within(new ZipkinSpans(true).of(sampleOf(header)))).toMatchObject({ kind: "SERVER", name: "get /a/1" });
  });

  it("several exchanges on one span number their events on", () => {
    const spans = new ZipkinSpans(false);
    const numbered = [sampleOf(W3C), sampleOf(W3C, "client"), sampleOf(B3), sampleOf(W3C)].map(
      (sample) => spans.of(sample)!,
    );
    expect(numbered.map(({ annotations }) => annotations[0]!.value)).toEqual([
      "Start HTTP Request Sampling-1",
      "Start HTTP Request Sampling-2",
      "Start HTTP Request Sampling-1", // the server's half, a span of its own
      "Start HTTP Request Sampling-3",
    ]);
  });
});

describe("a span of its own", () => {
  it("has name, kind, times and both ends", () => {
    expect(within(new ZipkinSpans(true).of(sampleOf("", "client")))).toMatchObject({
      kind: "CLIENT",
      name: "get /a/1",
      timestamp: 5000e6,
      duration: 1000,
      localEndpoint: { serviceName: "server", ipv6: "2001:db8::1", port: 4000 },
      remoteEndpoint: { ipv6: "2001:db8::2", port: 80 },
      tags: { "http.method": "GET", "http.path": "/a/1", "http.status_code": "503", error: "503" },
    });
  });

  it("stays in the trace that it was not sampled in, below the caller's span", () => {
    const span = within(new ZipkinSpans(true).of(sampleOf(`b3: ${T128}-${SPAN}-0`)));
    expect(span).toMatchObject({ traceId: T128, parentId: SPAN });
    expect(span!.id).not.toBe(SPAN);
  });

  it("has the same ids when a replay sends it again, and no other exchange has them", () => {
    const ids = (sample: Sample) => new ZipkinSpans(true).of(sample)!.id;
    expect(ids(sampleOf(""))).toBe(ids(sampleOf("")));
    expect(ids(sampleOf(""))).not.toBe(ids(sampleOf("", "client")));
  });
});
