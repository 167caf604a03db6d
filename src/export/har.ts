/** `--har`: the samples as HAR 1.2, which the network tools of browsers import. Fields of our own begin with `_`. */
import { isIP } from "node:net";
import type { Header, Sample, SampledMessage } from "../core/profile/sample.ts";
import { urlOf } from "../output/origin.ts";
import { microsecondsOf, rfc3339 } from "../output/rfc3339.ts";
import { version } from "../version.ts";
import { ExportFile } from "./export-file.ts";
import type { Exporter, Trouble } from "./exporter.ts";

/** @throws UserError `cannot-write` */
export function openHar(path: string, onTrouble: Trouble): Exporter {
  const file = new ExportFile("--har", path, "requests", onTrouble);
  const creator = { name: "l7prof", version: version() };
  file.write(`{"log":{"version":"1.2","creator":${JSON.stringify(creator)},"entries":[`);
  return {
    name: `--har ${path}`,
    sample(sample) {
      file.put(`${file.isEmpty ? "" : ","}\n${JSON.stringify(harEntry(sample))}`);
    },
    end: async () => file.end("\n]}}\n"),
  };
}

export function harEntry(sample: Sample) {
  const { request, response, process, reasons, durationMs, timeUs, wire, trace } = sample;
  const ends = wire?.connection;
  const serverAddress = (sample.side === "server" ? ends?.localAddress : ends?.remoteAddress) ?? "";
  return {
    startedDateTime: rfc3339(wire ? microsecondsOf(wire.start) : timeUs - durationMs * 1000),
    time: durationMs,
    request: {
      method: request.method,
      url: urlOf(sample),
      httpVersion: `HTTP/${request.version}`,
      cookies: [],
      headers: nameValues(request.headers),
      queryString: queryOf(request.uri),
      headersSize: request.headerBytes,
      bodySize: request.bodyBytes,
      ...(request.body !== "" && { postData: postData(request) }),
      ...cutComment(request),
    },
    response: {
      status: response.status,
      statusText: response.reason,
      httpVersion: `HTTP/${response.version}`,
      cookies: [],
      headers: nameValues(response.headers),
      content: contentOf(response),
      redirectURL: response.headers.find(([name]) => /^location$/i.test(name))?.[1] ?? "",
      headersSize: response.headerBytes,
      bodySize: response.bodyBytes,
      ...cutComment(response),
    },
    cache: {},
    timings: timingsOf(sample),
    ...(isIP(serverAddress) > 0 && { serverIPAddress: serverAddress }),
    ...(ends && {
      connection: String(ends.isUnix ? ends.id : sample.side === "server" ? ends.remotePort : ends.localPort),
    }),
    comment: `${process.comm}[${process.pid}] as ${sample.side}: ${reasons.join(", ")}`,
    _process: process,
    _side: sample.side,
    _reasons: reasons,
    ...(trace && { _traceId: trace.traceId }),
  };
}

function nameValues(headers: readonly Header[]) {
  return headers.map(([name, value]) => ({ name, value }));
}

function queryOf(uri: string) {
  const at = uri.indexOf("?");
  if (at === -1) return [];
  return [...new URLSearchParams(uri.slice(at + 1).split("#")[0])].map(([name, value]) => ({ name, value }));
}

function mimeTypeOf({ headers }: SampledMessage): string {
  return headers.find(([name]) => /^content-type$/i.test(name))?.[1] ?? "";
}

/** HAR has no encoding for what is posted, so bytes that are no text say so. */
function postData(request: SampledMessage) {
  const isText = request.bodyEncoding === "utf8";
  return {
    mimeType: mimeTypeOf(request),
    text: request.body,
    ...(!isText && { _encoding: "base64", comment: "text is base64" }),
  };
}

function contentOf(response: SampledMessage) {
  const { body, bodyEncoding } = response;
  return {
    size: Buffer.byteLength(body, bodyEncoding),
    mimeType: mimeTypeOf(response) || "x-unknown",
    ...(body !== "" && { text: body, ...(bodyEncoding === "base64" && { encoding: "base64" }) }),
  };
}

function cutComment({ truncated, bytes }: SampledMessage) {
  return truncated ? { comment: `only the beginning of ${bytes} bytes was kept` } : {};
}

/** An answer may begin before the request has ended; then nothing was waited. */
function timingsOf({ durationMs, ttfbMs, events }: Sample) {
  const asked = events.find(({ name }) => name === "HTTP Request Sampling");
  const sent = asked ? (microsecondsOf(asked.end) - microsecondsOf(asked.start)) / 1000 : 0;
  const send = Math.min(Math.max(sent, 0), ttfbMs);
  return { send, wait: ttfbMs - send, receive: Math.max(durationMs - ttfbMs, 0) };
}
