/** Where a request went, as a URL: what exports need that show requests to people. */
import type { Sample } from "../core/profile/sample.ts";

/** `http://host:port`, by the Host header, else by the address of the server's end. */
export function originOf(sample: Sample): string {
  const host = headerOf(sample, "host");
  const isHost = host !== null && /^[a-z0-9.:_[\]-]+$/i.test(host);
  return `${sample.protocol}://${isHost ? host : serverAuthority(sample)}`;
}

/** `address:port` of the server's end; of a unix socket, `localhost`. */
export function serverAuthority({ side, wire, peer }: Sample): string {
  const ends = wire?.connection;
  if (ends === undefined) return peer.address;
  if (ends.isUnix) return "localhost";
  const [address, port] =
    side === "server" ? [ends.localAddress, ends.localPort] : [ends.remoteAddress, ends.remotePort];
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The request's URL, whatever form its target has (RFC 9112, 3.2). */
export function urlOf(sample: Sample): string {
  const { uri } = sample.request;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(uri)) return uri;
  return originOf(sample) + (uri.startsWith("/") ? uri : `/${uri}`);
}

/** The first request header of that name that was kept. */
export function headerOf({ request }: Sample, lowercaseName: string): string | null {
  return request.headers.find(([name]) => name.toLowerCase() === lowercaseName)?.[1] ?? null;
}
