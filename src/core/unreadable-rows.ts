/** What is encrypted and not read, as connections and bytes: a row for each process and library, and a warning. */
import type { OpenConnection } from "./connections.ts";
import type { ProcessInfo } from "./profile/parties.ts";
import type { UnreadableTls } from "./profile/window.ts";
import type { QuicConnections } from "./quic.ts";
import type { UnreadableWarnings } from "./unreadable.ts";

const MAX_ROWS = 1000;
/** How connections of QUIC are counted, since a socket has many. */
const QUIC = "QUIC (by Initial packets)";
const KERNEL = "TLS of the kernel (kTLS)";

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

/** A connection, or a socket of QUIC. */
export interface Unreadable {
  readonly open: OpenConnection;
  bytes: number;
  /** Where it is counted; null: nowhere yet. */
  row: Row | null;
  /** The kernel encrypts it, and calls moved something that were in no call of a library. */
  isOfKernel: boolean;
  /** Null: it is a connection. */
  readonly quic: QuicConnections | null;
}

export class UnreadableRows {
  private readonly events: OpaqueEvents;
  private readonly warnings: UnreadableWarnings;
  private readonly rows = new Map<string, Row>();
  private readonly libraries = new Map<number, string>();

  constructor(events: OpaqueEvents, warnings: UnreadableWarnings) {
    this.events = events;
    this.warnings = warnings;
  }

  add(unreadable: Unreadable): void {
    const { open, quic, bytes } = unreadable;
    const row = this.rowOf(unreadable);
    const isFirst = row.connections === 0;
    unreadable.row = row;
    row.connections += quic?.count ?? 1;
    row.bytes += bytes;
    if (quic === null) {
      const what = `is encrypted with TLS that l7prof can't read: ${row.library}`;
      this.warnings.warn("tls-unreadable", what, open, open.info.isFresh);
    } else if (isFirst) {
      this.warnings.warn("tls-unreadable", "speaks QUIC, as HTTP/3 does, which l7prof can't read", open, false);
    }
  }

  /** It is readable, after all. */
  remove(unreadable: Unreadable): void {
    const { row } = unreadable;
    if (row === null) return;
    row.connections--;
    row.bytes -= unreadable.bytes;
    unreadable.row = null;
  }

  profile(): UnreadableTls[] {
    return [...this.rows.values()].filter(({ connections }) => connections > 0).map((row) => ({ ...row }));
  }

  /** What a row will say that it is encrypted with. */
  nameOf({ open, quic, isOfKernel }: Unreadable): string {
    if (quic !== null) return QUIC;
    return isOfKernel ? KERNEL : this.libraryOf(open.opener.pid);
  }

  private rowOf(unreadable: Unreadable): Row {
    const { opener } = unreadable.open;
    const library = this.nameOf(unreadable);
    return (
      this.rows.get(`${opener.pid} ${library}`) ??
      (this.rows.size < MAX_ROWS
        ? this.newRow(`${opener.pid} ${library}`, opener, library)
        : (this.rows.get("(other)") ?? this.newRow("(other)", { pid: 0, comm: "(other)" }, "(other)")))
    );
  }

  private newRow(key: string, process: ProcessInfo, library: string): Row {
    const row = { process, library, connections: 0, bytes: 0 };
    this.rows.set(key, row);
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
