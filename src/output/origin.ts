/** Where a request went, as a URL: what those need that show requests to people. */
import type { Sample } from "../core/profile/sample.ts";

/**
 * The request's URL, whatever form its target has (RFC 9112, 3.2): by the Host header, else by the address of the
 * server's end. What makes no URL (WHATWG) is not taken for
 * one, and a target of another scheme for a path: whoever follows the URL speaks HTTP.
 */
export function urlOf(sample: Sample): string {
  const { uri } = sample.request;
  if (/^https?:\/\//i.test(uri) && URL.canParse(uri)) return uri;
  return originOf(sample) + (uri.startsWith("/") ? uri : `/${uri}`);
}

function originOf(sample: Sample): string {
  const host = headerOf(sample, "host") ?? "";
  const isHost = /^[a-z0-9.:_[\]-]+$/i.test(host) && URL.canParse(`http://${host}`);
  return `${sample.protocol}://${isHost ? host : serverAuthority(sample)}`;
}

/** `address:port` of the server's end; `localhost` if it is a unix socket, or not known. */
export function serverAuthority({ side, wire, peer }: Sample): string {
  const ends = wire?.connection;
  if (ends?.isUnix) return "localhost";
  if (ends === undefined) return side === "client" ? authority(peer.address, peer.port) : "localhost";
  return side === "server"
    ? authority(ends.localAddress, ends.localPort)
    : authority(ends.remoteAddress, ends.remotePort);
}

function authority(address: string, port: number | null): string {
  if (port === null) return "localhost";
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The first request header of that name that was kept. */
export function headerOf({ request }: Sample, lowercaseName: string): string | null {
  return request.headers.find(([name]) => name.toLowerCase() === lowercaseName)?.[1] ?? null;
}
