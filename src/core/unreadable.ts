/** Says of what can't be read that it is there: once for each process and port. */
import type { OpenConnection } from "./connections.ts";

const MAX_WARNINGS = 1000;

interface WarningSink {
  onWarning(code: string, message: string, timeNs: number): void;
}

export class UnreadableWarnings {
  private readonly sink: WarningSink;
  private readonly warned = new Set<string>();
  /** Connections of each process and port, for what is told once more at the end. */
  private readonly counts = new Map<string, { code: string; message: string; connections: number }>();

  constructor(sink: WarningSink) {
    this.sink = sink;
  }

  /** `isClientFirst`: the call that opened the connection to us is known to be the client's. */
  warn(code: string, what: string, open: OpenConnection, isClientFirst: boolean): void {
    const message = `${ownerOf(open, isClientFirst)} ${what}`;
    if (this.warned.has(message) || this.warned.size > MAX_WARNINGS) return;
    this.warned.add(message);
    this.sink.onWarning(code, message, open.openNs);
  }

  /** One connection more, of which the end of the run will tell. */
  count(code: string, what: string, open: OpenConnection): void {
    const message = `${ownerOf(open, false)} ${what}`;
    const known = this.counts.get(message);
    if (known !== undefined) known.connections++;
    else if (this.counts.size < MAX_WARNINGS) this.counts.set(message, { code, message, connections: 1 });
  }

  tellCounts(timeNs: number): void {
    for (const { code, message, connections } of this.counts.values()) {
      this.sink.onWarning(
        code,
        `${message}: ${connections} ${connections === 1 ? "connection" : "connections"}`,
        timeNs,
      );
    }
  }
}

function ownerOf(open: OpenConnection, isClientFirst: boolean): string {
  const { info, opener } = open;
  const where = info.isUnix ? info.remoteAddress : `port ${serverPort(open, isClientFirst)}`;
  return `${opener.comm}[${opener.pid}] ${where}`;
}

/** Joined in mid-stream, nobody knows whose call it was: then the lower port is most likely the server's. */
function serverPort({ info, beganWriting, connection }: OpenConnection, isClientFirst: boolean): number {
  const { localPort, remotePort } = info;
  if (connection !== null) return connection.side === "server" ? localPort : remotePort;
  if (isClientFirst) return beganWriting ? remotePort : localPort;
  return Math.min(localPort || remotePort, remotePort || localPort);
}
