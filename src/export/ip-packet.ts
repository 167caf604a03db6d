/** A TCP segment in an IP packet (RFC 791, RFC 8200, RFC 9293), of whose payload perhaps only the beginning is there. */
import { isIPv4 } from "node:net";

export interface Segment {
  readonly from: End;
  readonly to: End;
  readonly sequence: number;
  readonly acknowledged: number;
  /** What is there of `length` bytes. */
  readonly payload: Uint8Array;
  readonly length: number;
}

export interface End {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
}

const TCP = 6;
const TCP_BYTES = 20;
const PSH_ACK = 0x18;

/** What was captured of the packet, and how long it was. */
export function ipPacket(segment: Segment): { readonly captured: Buffer; readonly length: number } {
  const isV4 = segment.from.address.length === 4;
  const tcp = tcpSegment(segment);
  const ip = isV4 ? ipv4Header(segment) : ipv6Header(segment);
  const captured = Buffer.concat([ip, tcp]);
  return { captured, length: ip.length + TCP_BYTES + segment.length };
}

function tcpSegment(segment: Segment): Buffer {
  const { from, to, sequence, acknowledged, payload, length } = segment;
  const header = Buffer.alloc(TCP_BYTES);
  header.writeUInt16BE(from.port, 0);
  header.writeUInt16BE(to.port, 2);
  header.writeUInt32BE(sequence >>> 0, 4);
  header.writeUInt32BE(acknowledged >>> 0, 8);
  header[12] = (TCP_BYTES / 4) << 4;
  header[13] = PSH_ACK;
  header.writeUInt16BE(0xffff, 14); // window
  const bytes = Buffer.concat([header, payload]);
  // Of bytes that are not there nobody knows the sum.
  if (payload.length === length) bytes.writeUInt16BE(checksum([...pseudoHeader(segment), bytes]), 16);
  return bytes;
}

function pseudoHeader({ from, to, length }: Segment): Uint8Array[] {
  const tail = Buffer.alloc(8);
  tail.writeUInt32BE(TCP_BYTES + length, 0);
  tail[7] = TCP;
  return [from.address, to.address, tail];
}

function ipv4Header({ from, to, length }: Segment): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(20 + TCP_BYTES + length, 2);
  header[6] = 0x40; // don't fragment
  header[8] = 64;
  header[9] = TCP;
  header.set(from.address, 12);
  header.set(to.address, 16);
  header.writeUInt16BE(checksum([header]), 10);
  return header;
}

function ipv6Header({ from, to, length }: Segment): Buffer {
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header.writeUInt16BE(TCP_BYTES + length, 4);
  header[6] = TCP;
  header[7] = 64;
  header.set(from.address, 8);
  header.set(to.address, 24);
  return header;
}

/** RFC 1071. All parts but the last are of even length. */
function checksum(parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length; i += 2) sum += (part[i]! << 8) | (part[i + 1] ?? 0);
    sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Of an address as text, in the forms that core/address.ts writes. */
export function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split("."), Number);
  const bytes = new Uint8Array(16);
  const [before = "", after] = address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":").flatMap(groupWords));
  const head = groups(before);
  const tail = after === undefined ? [] : groups(after);
  const words = [...head, ...new Array<number>(Math.max(0, 8 - head.length - tail.length)).fill(0), ...tail];
  for (const [i, word] of words.slice(0, 8).entries()) bytes.set([word >> 8, word & 0xff], i * 2);
  return bytes;
}

/** The last group may be an IPv4 address (RFC 4291, 2.2). */
function groupWords(group: string): number[] {
  if (!group.includes(".")) return [Number.parseInt(group, 16)];
  const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
  return [(a << 8) | b, (c << 8) | d];
}
