/**
 * How many connections of QUIC a UDP socket has carried. Each end chooses an id for a connection and sends it as the
 * source of all its Initial packets (RFC 9000, 7.2): so the different ones that came, or that went, are connections,
 * whichever are more, since an end with a socket for itself may leave its id empty.
 */
import type { RecordCursor } from "./decode.ts";
import { FLAG_WRITE } from "./record-layout.ts";

/** Of each direction: a connection's Initial packets lie no further apart than so many other connections. */
const MAX_IDS = 4096;
const VERSION_2 = 0x6b3343cf;
const LONG_HEADER_BYTES = 7;

export class QuicConnections {
  private readonly sent = new RecentIds();
  private readonly received = new RecentIds();

  /** One that was open before shows no Initial packet; that there is one, the long header says. */
  get count(): number {
    return Math.max(1, this.sent.count, this.received.count);
  }

  /** A call moved datagrams, the record holds the beginning of the first; answers how many connections it adds. */
  moved(record: RecordCursor): number {
    if (record.headBytes === 0) return 0;
    const id = sourceOfInitial(record.bytes, record.payload, record.payload + record.headBytes);
    if (id === null) return 0;
    const before = this.count;
    ((record.flags & FLAG_WRITE) !== 0 ? this.sent : this.received).add(id);
    return this.count - before;
  }
}

/** Two generations: what was not there for so long is forgotten, but not what was counted of it. */
class RecentIds {
  count = 0;
  private recent = new Set<string>();
  private older = new Set<string>();

  add(id: string): void {
    if (this.recent.has(id)) return;
    if (!this.older.has(id)) this.count++;
    if (this.recent.size >= MAX_IDS) {
      this.older = this.recent;
      this.recent = new Set();
    }
    this.recent.add(id);
  }
}

/** Source Connection ID of an Initial packet (RFC 9000, 17.2; RFC 9369, 3.2), null if it is none or cut off. */
export function sourceOfInitial(bytes: Uint8Array, start: number, end: number): string | null {
  if (end - start < LONG_HEADER_BYTES) return null;
  const version =
    bytes[start + 1]! * 0x1000000 + (bytes[start + 2]! << 16) + (bytes[start + 3]! << 8) + bytes[start + 4]!;
  const type = (bytes[start]! >> 4) & 3;
  if (type !== (version === VERSION_2 ? 1 : 0)) return null;
  const lengthAt = start + 6 + bytes[start + 5]!;
  if (lengthAt >= end) return null;
  const idEnd = lengthAt + 1 + bytes[lengthAt]!;
  return idEnd > end ? null : String.fromCharCode(...bytes.subarray(lengthAt + 1, idEnd));
}
