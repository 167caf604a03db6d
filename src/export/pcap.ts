/**
 * `--pcap`: the samples as pcapng (draft-ietf-opsawg-pcapng), each socket call as TCP segments with the addresses, ports
 * and sequence numbers of its connection and the time at which it returned. What was not kept of a message is there by
 * its length alone, as in a capture with a snapshot length.
 */

import type { Instant } from "../core/profile/instant.ts";
import type { Sample } from "../core/profile/sample.ts";
import type { WireMessage, WireSample } from "../core/profile/wire.ts";
import { version } from "../version.ts";
import { ExportFile } from "./export-file.ts";
import { exportedPduTags } from "./exported-pdu.ts";
import type { Exporter, Trouble } from "./exporter.ts";
import { addressBytes, ipPacket, type Segment } from "./ip-packet.ts";

/** @throws UserError `cannot-write` */
export function openPcap(path: string, onTrouble: Trouble): Exporter {
  const file = new ExportFile("--pcap", path, "exchanges", onTrouble);
  file.write(Buffer.concat([sectionHeader(), ...INTERFACES.map(interfaceDescription)]));
  let unixSockets = 0;
  return {
    name: `--pcap ${path}`,
    sample(sample) {
      const blocks = packetBlocks(sample);
      if (blocks === null) unixSockets++;
      else file.put(blocks);
    },
    end: async () => ({ ...file.end(), ...(unixSockets > 0 && { leftOut: `${unixSockets} on unix sockets` }) }),
  };
}

/** What an IPv4 packet holds beside its headers. */
const MAX_SEGMENT_BYTES = 65_535 - 40;
/** Of what was not kept, so many segments show that it was there. */
const MAX_EMPTY_SEGMENTS = 64;

/** The packets of one exchange in order of time; null on a unix socket. */
function packetBlocks(sample: Sample): Buffer | null {
  const { wire, side, request, response } = sample;
  if (wire === undefined || wire.connection.isUnix) return null;
  if (sample.protocol === "https") return plaintextBlocks(sample, wire);
  const { localAddress, localPort, remoteAddress, remotePort } = wire.connection;
  const local = { address: addressBytes(localAddress), port: localPort };
  const remote = { address: addressBytes(remoteAddress), port: remotePort };
  const [client, server] = side === "server" ? [remote, local] : [local, remote];
  const asked = segmentsOf(wire.request, request.bytes).map((part) => ({ ...part, from: client, to: server }));
  const answered = segmentsOf(wire.response, response.bytes).map((part) => ({ ...part, from: server, to: client }));
  return Buffer.concat(
    [...asked, ...answered].map((segment, i) => {
      const { captured, length } = ipPacket(segment);
      return packetBlock(PACKETS, segment.time, captured, length, i === 0 ? commentOf(sample) : "");
    }),
  );
}

function commentOf({ process, side, reasons, trace }: Sample): string {
  const traced = trace === null ? "" : `, trace ${trace.traceId}`;
  return `${process.comm}[${process.pid}] as ${side}: ${reasons.join(", ")}${traced}`;
}

/**
 * The plaintext of TLS was in no packet: each message is one of Wireshark's exported PDUs, which say themselves that they
 * are HTTP, and between whom.
 */
function plaintextBlocks(sample: Sample, { connection, request, response }: WireSample): Buffer {
  const isAsked = (message: WireMessage) => (message === request) === (sample.side === "client");
  return Buffer.concat(
    [request, response].flatMap((message) => {
      const [first] = message.calls;
      if (first === undefined) return [];
      const tags = exportedPduTags(connection, isAsked(message));
      const bytes = message.bytes ?? new Uint8Array(0);
      const length = message === request ? sample.request.bytes : sample.response.bytes;
      const comment = message === request ? commentOf(sample) : "";
      return [packetBlock(PLAINTEXT, first.time, Buffer.concat([tags, bytes]), tags.length + length, comment)];
    }),
  );
}

type Part = Omit<Segment, "from" | "to"> & { readonly time: Instant };

/**
 * What each call carried of the message. If it was not kept whole, the first segment goes on to where something is
 * missing: then a reader does not wait for the rest before it reads the head.
 */
function segmentsOf({ position, calls, bytes = new Uint8Array(0) }: WireMessage, length: number): Part[] {
  const parts: Part[] = [];
  const firstEnd = bytes.length < length ? bytes.length + 1 : 0;
  let done = 0;
  let empty = 0;
  for (const [i, { position: at, bytes: moved, otherPosition, time }] of calls.entries()) {
    // The last call that was noted stands for those that were not.
    const callEnd = i === calls.length - 1 ? length : Math.min(length, ((at - position) | 0) + moved);
    const end = Math.max(callEnd, firstEnd);
    while (done < end && empty < MAX_EMPTY_SEGMENTS) {
      const count = Math.min(end - done, MAX_SEGMENT_BYTES);
      const payload = bytes.subarray(done, done + count);
      if (payload.length === 0) empty++;
      parts.push({ time, sequence: (position + done) >>> 0, acknowledged: otherPosition, payload, length: count });
      done += count;
    }
  }
  return parts;
}

function packetBlock(
  interfaceId: number,
  { seconds, nanos }: Instant,
  captured: Buffer,
  length: number,
  comment: string,
): Buffer {
  const time = BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
  const head = Buffer.alloc(20);
  head.writeUInt32LE(interfaceId, 0);
  head.writeUInt32LE(Number(time >> 32n), 4);
  head.writeUInt32LE(Number(time & 0xffff_ffffn), 8);
  head.writeUInt32LE(captured.length, 12);
  head.writeUInt32LE(length, 16);
  return block(ENHANCED_PACKET, [
    head,
    padded(captured),
    ...(comment === "" ? [] : [option(OPT_COMMENT, comment), END]),
  ]);
}

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const OPT_COMMENT = 1;
const SHB_USERAPPL = 4;
const IF_TSRESOL = 9;
/** IPv4 or IPv6, without a link layer. */
const LINKTYPE_RAW = 101;
const LINKTYPE_WIRESHARK_UPPER_PDU = 252;
const INTERFACES = [LINKTYPE_RAW, LINKTYPE_WIRESHARK_UPPER_PDU];
const PACKETS = 0;
const PLAINTEXT = 1;
const NANOSECONDS = 9;
const END = Buffer.alloc(4);

function sectionHeader(): Buffer {
  const head = Buffer.alloc(16, 0xff); // the length of the section is not told
  head.writeUInt32LE(0x1a2b3c4d, 0);
  head.writeUInt16LE(1, 4);
  head.writeUInt16LE(0, 6);
  return block(SECTION_HEADER, [head, option(SHB_USERAPPL, `l7prof ${version()}`), END]);
}

function interfaceDescription(linkType: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(linkType, 0);
  return block(INTERFACE_DESCRIPTION, [head, option(IF_TSRESOL, Uint8Array.of(NANOSECONDS)), END]);
}

function block(type: number, parts: readonly Buffer[]): Buffer {
  const length = 12 + parts.reduce((sum, part) => sum + part.length, 0);
  const [head, tail] = [Buffer.alloc(8), Buffer.alloc(4)];
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(length, 4);
  tail.writeUInt32LE(length, 0);
  return Buffer.concat([head, ...parts, tail]);
}

function option(code: number, value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string).subarray(0, 0xffff);
  const head = Buffer.alloc(4);
  head.writeUInt16LE(code, 0);
  head.writeUInt16LE(bytes.length, 2);
  return Buffer.concat([head, padded(bytes)]);
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
