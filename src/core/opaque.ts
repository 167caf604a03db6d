/**
 * Encrypted connections whose plaintext is not read: none of them just disappears. A connection is counted when it has
 * ended, or was open for a second, without that its session showed. A row for each process and library. So are UDP
 * sockets that carry QUIC.
 */
import { type ConnectionTable, type OpenConnection, setPeer } from "./connections.ts";
import type { RecordCursor } from "./decode.ts";
import type { ProcessInfo } from "./profile/parties.ts";
import type { UnreadableTls } from "./profile/window.ts";
import { QuicConnections } from "./quic.ts";
import { FLAG_QUIC } from "./record-layout.ts";
import type { UnreadableWarnings } from "./unreadable.ts";

const MAX_CONNECTIONS = 65_536;
const MAX_ROWS = 1000;
/** The handshake shows the session; on an open connection the next call of the library does. */
const MAX_WAIT_NS = 1e9;
/** What a row says of QUIC: how its connections are counted, since a socket has many. */
const QUIC = "QUIC (by Initial packets)";

export interface OpaqueEvents {
  /** What the process encrypts with. */
  tlsLibraryOf(pid: number): string;
}

interface Row {
  readonly process: ProcessInfo;
  readonly library: string;
  connections: number;
  bytes: number;
}

interface Opaque {
  readonly open: OpenConnection;
  bytes: number;
  /** Where it is counted; null: its session is known, or may still show. */
  row: Row | null;
  /** Number of its session; null: not known. */
  session: number | null;
  /** Null: it is no socket of QUIC, but a connection. */
  readonly quic: QuicConnections | null;
}

export class OpaqueConnections {
  private readonly events: OpaqueEvents;
  private readonly warnings: UnreadableWarnings;
  private readonly table: ConnectionTable;
  /** By inode number, in the order of their beginning. */
  private readonly connections = new Map<number, Opaque>();
  /** Calls moved something of them; those of a library that is probed do not count, so these may be unreadable. */
  private readonly waiting = new Set<Opaque>();
  private readonly bySession = new Map<number, Opaque>();
  private readonly rows = new Map<string, Row>();
  private readonly libraries = new Map<number, string>();

  /** `table` learns their ends: before any plaintext goes by, it is known who talks to whom. */
  constructor(events: OpaqueEvents, warnings: UnreadableWarnings, table: ConnectionTable) {
    this.events = events;
    this.table = table;
    this.warnings = warnings;
  }

  opened(open: OpenConnection, flags: number): void {
    const isQuic = (flags & FLAG_QUIC) !== 0;
    const known = this.connections.get(open.info.id);
    if (isQuic && known?.open.info.socket === open.info.socket) return; // the kernel forgot it for a while
    this.closed(open.info.id);
    const oldest = this.connections.keys().next().value;
    if (this.connections.size >= MAX_CONNECTIONS && oldest !== undefined) this.closed(oldest);
    const opaque = { open, bytes: 0, row: null, session: null, quic: isQuic ? new QuicConnections() : null };
    if (!isQuic) this.table.addEnds(open);
    this.connections.set(open.info.id, opaque);
  }

  moved(record: RecordCursor): void {
    const opaque = this.connections.get(record.connection);
    if (opaque === undefined) return;
    opaque.bytes += record.length;
    const more = opaque.quic?.moved(record) ?? 0;
    if (opaque.row !== null) {
      opaque.row.bytes += record.length;
      opaque.row.connections += more;
    } else if (opaque.quic !== null) {
      this.count(opaque);
    } else if (opaque.session === null) {
      this.waiting.add(opaque);
    }
  }

  /** Its plaintext is read from here on. */
  bound(id: number, session: number): void {
    const opaque = this.connections.get(id);
    if (opaque === undefined) return;
    this.waiting.delete(opaque);
    if (opaque.session !== null) this.bySession.delete(opaque.session);
    opaque.session = session;
    this.bySession.set(session, opaque);
    this.tellPeer(opaque);
    if (opaque.row === null) return;
    opaque.row.connections--;
    opaque.row.bytes -= opaque.bytes;
    opaque.row = null;
  }

  closed(id: number): void {
    const opaque = this.connections.get(id);
    if (opaque === undefined) return;
    if (this.waiting.has(opaque)) this.count(opaque);
    this.table.removeEnds(opaque.open);
    if (opaque.session !== null) this.bySession.delete(opaque.session);
    this.connections.delete(id);
  }

  /** The process at the other end is known. */
  peer(id: number, peer: ProcessInfo): void {
    const opaque = this.connections.get(id);
    if (opaque === undefined || opaque.open.other !== null) return;
    setPeer(opaque.open, peer);
    this.tellPeer(opaque);
  }

  /** The session has shown itself: it has the peer of its connection. */
  sessionOpened(session: number): void {
    const opaque = this.bySession.get(session);
    if (opaque !== undefined) this.tellPeer(opaque);
  }

  /** The session on a connection, if it has shown itself. */
  sessionOn(id: number): OpenConnection | undefined {
    const session = this.connections.get(id)?.session ?? null;
    return session === null ? undefined : this.table.get(session);
  }

  tick(nowNs: number): void {
    for (const opaque of this.waiting) {
      if (nowNs - opaque.open.openNs < MAX_WAIT_NS) break;
      this.count(opaque);
    }
  }

  /** At the end of the run nothing more will show. */
  finish(): void {
    for (const opaque of this.waiting) this.count(opaque);
  }

  profile(): UnreadableTls[] {
    return [...this.rows.values()].filter(({ connections }) => connections > 0).map((row) => ({ ...row }));
  }

  private tellPeer({ open: { peer }, session }: Opaque): void {
    const open = session === null ? undefined : this.table.get(session);
    if (open !== undefined && open.peer === null && peer !== null) setPeer(open, peer);
  }

  private count(opaque: Opaque): void {
    this.waiting.delete(opaque);
    const { open, quic } = opaque;
    const row = this.rowOf(opaque);
    const isFirst = row.connections === 0;
    opaque.row = row;
    row.connections += quic?.count ?? 1;
    row.bytes += opaque.bytes;
    if (quic === null) {
      const what = `is encrypted with TLS that l7prof can't read: ${row.library}`;
      this.warnings.warn("tls-unreadable", what, open, open.info.isFresh);
    } else if (isFirst) {
      this.warnings.warn("tls-unreadable", "speaks QUIC, as HTTP/3 does, which l7prof can't read", open, false);
    }
  }

  private rowOf({ open: { opener }, quic }: Opaque): Row {
    const library = quic === null ? this.libraryOf(opener.pid) : QUIC;
    const key = `${opener.pid} ${library}`;
    const known = this.rows.get(key);
    if (known !== undefined) return known;
    if (this.rows.size >= MAX_ROWS) return this.rowOfOthers();
    const row = { process: opener, library, connections: 0, bytes: 0 };
    this.rows.set(key, row);
    return row;
  }

  private rowOfOthers(): Row {
    const known = this.rows.get("(other)");
    if (known !== undefined) return known;
    const row = { process: { pid: 0, comm: "(other)" }, library: "(other)", connections: 0, bytes: 0 };
    this.rows.set("(other)", row);
    return row;
  }

  private libraryOf(pid: number): string {
    const known = this.libraries.get(pid);
    if (known !== undefined) return known;
    if (this.libraries.size >= MAX_ROWS) this.libraries.clear();
    const library = this.events.tlsLibraryOf(pid);
    this.libraries.set(pid, library);
    return library;
  }
}
