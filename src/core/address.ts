/** Socket addresses as text. */

export const AF_UNIX = 1;
export const AF_INET = 2;

/** `bytes`: 16 in network order, of which AF_INET uses four. IPv4-mapped IPv6 is written as IPv4 (RFC 4291, 2.5.5.2). */
export function addressText(family: number, bytes: Uint8Array): string {
  if (family === AF_INET) return bytes.subarray(0, 4).join(".");
  const isMapped = bytes.subarray(0, 10).every((b) => b === 0) && bytes[10] === 255 && bytes[11] === 255;
  return isMapped ? bytes.subarray(12, 16).join(".") : ipv6Text(bytes);
}

/** RFC 5952: lower case, no leading zeros, the first longest run of zero groups as `::`. */
function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  let best = { start: 0, length: 0 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.length < 2) return hex.join(":");
  return `${hex.slice(0, best.start).join(":")}::${hex.slice(best.start + best.length).join(":")}`;
}

/** `unix:/run/app.sock`, `unix:@name` for an abstract name, `unix:` when neither end is bound. */
export function unixAddressText(path: Uint8Array): string {
  const text = new TextDecoder().decode(path);
  return `unix:${text.startsWith("\0") ? `@${text.slice(1)}` : text.replace(/\0.*$/s, "")}`;
}

/** RFC 1122, 3.2.1.3; RFC 4291, 2.5.3. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
