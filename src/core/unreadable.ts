/** Says of what can't be read that it is there: once for each process and port. */
import type { OpenConnection } from "./connections.ts";

const MAX_WARNINGS = 1000;

interface WarningSink {
  onWarning(code: string, message: string, timeNs: number): void;
}

export class UnreadableWarnings {
  private readonly sink: WarningSink;
  private readonly warned = new Set<string>();

  constructor(sink: WarningSink) {
    this.sink = sink;
  }

  /** `isClientFirst`: the call that opened the connection to us is known to be the client's. */
  warn(code: string, what: string, open: OpenConnection, isClientFirst: boolean): void {
    const { info, opener, openNs } = open;
    const where = info.isUnix ? info.remoteAddress : `port ${serverPort(open, isClientFirst)}`;
    const key = `${code} ${opener.pid} ${where}`;
    if (this.warned.has(key) || this.warned.size > MAX_WARNINGS) return;
    this.warned.add(key);
    this.sink.onWarning(code, `${opener.comm}[${opener.pid}] ${where} ${what}`, openNs);
  }
}

/** Joined in mid-stream, nobody knows whose call it was: then the lower port is most likely the server's. */
function serverPort({ info, beganWriting }: OpenConnection, isClientFirst: boolean): number {
  const { localPort, remotePort } = info;
  if (isClientFirst) return beganWriting ? remotePort : localPort;
  return Math.min(localPort || remotePort, remotePort || localPort);
}
