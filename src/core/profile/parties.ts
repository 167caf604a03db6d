/** Who talks with whom: the profiled process, and the other end of its connections. */
import type { Container } from "../identity.ts";

/** Which end of the connection the profiled process is: it answered (`server`) or it asked (`client`). */
export type Side = "server" | "client";

export type Protocol = "http" | "https";

/** Where a process runs, if that is known. */
export interface Place {
  readonly container?: Container;
  /** Of systemd. */
  readonly unit?: string;
}

export interface ProcessInfo extends Place {
  readonly pid: number;
  readonly comm: string;
}

export interface PeerInfo extends Place {
  readonly pid: number | null;
  readonly comm: string | null;
  /** IP address, or for a unix socket its path (`unix:/run/app.sock`, `unix:` when unnamed). */
  readonly address: string;
  /** The name of the address, if it has one that is known and the process is not. */
  readonly host?: string;
  /** The server's port on a client edge; null on a server edge and for unix sockets. */
  readonly port: number | null;
}
