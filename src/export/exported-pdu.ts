/** What goes before an exported PDU of Wireshark (epan/exported_pdu.h): tags in network order that name its dissector. */
import { isIP } from "node:net";
import type { WireEnds } from "../core/profile/wire.ts";
import { addressBytes } from "./ip-packet.ts";

const DISSECTOR_NAME = 12;
const IPV4 = { source: 20, destination: 21 };
const IPV6 = { source: 22, destination: 23 };
const PORT_TYPE = 24;
const SOURCE_PORT = 25;
const DESTINATION_PORT = 26;
const PORT_TYPE_TCP = 2;
const END = Buffer.alloc(4);

/** `isOut`: the process sent it. Of a session on an unknown connection there are no addresses. */
export function exportedPduTags(ends: WireEnds, isOut: boolean): Buffer {
  const local = { address: ends.localAddress, port: ends.localPort };
  const remote = { address: ends.remoteAddress, port: ends.remotePort };
  const [from, to] = isOut ? [local, remote] : [remote, local];
  const kind = isIP(from.address) === 4 ? IPV4 : IPV6;
  const isKnown = isIP(from.address) > 0 && isIP(to.address) > 0;
  return Buffer.concat([
    tag(DISSECTOR_NAME, Buffer.from("http")),
    ...(isKnown
      ? [
          tag(kind.source, addressBytes(from.address)),
          tag(kind.destination, addressBytes(to.address)),
          tag(PORT_TYPE, word(PORT_TYPE_TCP)),
          tag(SOURCE_PORT, word(from.port)),
          tag(DESTINATION_PORT, word(to.port)),
        ]
      : []),
    END,
  ]);
}

/** The value is padded to whole words, and its length counts the padding. */
function tag(id: number, value: Uint8Array): Buffer {
  const padding = Buffer.alloc(-value.length & 3);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(id, 0);
  head.writeUInt16BE(value.length + padding.length, 2);
  return Buffer.concat([head, value, padding]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}
