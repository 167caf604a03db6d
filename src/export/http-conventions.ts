/** OpenTelemetry's semantic conventions for HTTP, stable since 1.23: what is known of an exchange, by their names. */
import type { MeterLabels } from "../core/meter.ts";
import type { Side } from "../core/profile/parties.ts";
import type { Sample } from "../core/profile/sample.ts";
import { headerOf, serverAuthority, urlOf } from "../output/origin.ts";

type Attributes = Record<string, string | number | string[]>;

/** RFC 9110, RFC 5789, and QUERY; any other is `_OTHER`. */
const METHODS = new Set(["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"]);

export function spanAttributes(sample: Sample): Attributes {
  const { side, request, response, wire, process } = sample;
  const [path = "", query] = request.uri.split(/\?(.*)/s);
  const ends = wire?.connection;
  const isKnown = METHODS.has(request.method);
  const server = splitAuthority(headerOf(sample, "host") ?? serverAuthority(sample));
  const userAgent = headerOf(sample, "user-agent");
  return {
    "http.request.method": isKnown ? request.method : "_OTHER",
    ...(!isKnown && { "http.request.method_original": request.method }),
    "http.response.status_code": response.status,
    ...errorType(side, response.status),
    "network.protocol.name": "http",
    "network.protocol.version": request.version,
    ...(ends && !ends.isUnix && { "network.peer.address": ends.remoteAddress, "network.peer.port": ends.remotePort }),
    "network.transport": ends?.isUnix ? "unix" : "tcp",
    "server.address": server.host,
    ...(server.port !== null && { "server.port": server.port }),
    "http.request.size": request.bytes,
    "http.request.body.size": request.bodyBytes,
    "http.response.size": response.bytes,
    "http.response.body.size": response.bodyBytes,
    ...(userAgent !== null && { "user_agent.original": userAgent }),
    ...(side === "server"
      ? {
          "url.path": path,
          ...(query !== undefined && { "url.query": query }),
          "url.scheme": sample.protocol,
          ...(wire && { "http.route": wire.route }),
          ...(ends && !ends.isUnix && { "client.address": ends.remoteAddress }),
        }
      : { "url.full": urlOf(sample), ...(wire && { "url.template": wire.route }) }),
    "process.pid": process.pid,
    "process.executable.name": process.comm,
    "l7prof.reasons": [...sample.reasons],
  };
}

export function metricAttributes(labels: MeterLabels): Attributes {
  const { side, method, status, route, protocol, serverAddress, serverPort } = labels;
  return {
    "http.request.method": METHODS.has(method) ? method : "_OTHER",
    "url.scheme": protocol,
    ...(status > 0 && { "http.response.status_code": status, ...errorType(side, status) }),
    ...(side === "server"
      ? { "http.route": route }
      : {
          "url.template": route,
          "server.address": serverAddress,
          ...(serverPort !== null && { "server.port": serverPort }),
        }),
  };
}

/** A server's 4xx is the client's fault. */
function errorType(side: Side, status: number): Attributes {
  return status >= (side === "server" ? 500 : 400) ? { "error.type": String(status) } : {};
}

function splitAuthority(authority: string): { readonly host: string; readonly port: number | null } {
  const match = /^(.*?)(?::(\d{1,5}))?$/s.exec(authority);
  const host = (match?.[1] ?? authority).replace(/^\[(.*)\]$/, "$1");
  return { host, port: match?.[2] === undefined ? null : Number(match[2]) };
}
