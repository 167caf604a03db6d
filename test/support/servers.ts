import { type Child, startChild } from "./child.ts";
import { inRepo } from "./paths.ts";
import type { Tally } from "./tally.ts";

export interface Server extends Child {
  readonly port: number;
  /** What it served, by its own count. */
  readonly counters: () => Promise<Tally>;
}

export function startNodeServer(args: readonly string[] = []): Promise<Server> {
  return startServer("node", [inRepo("test/servers/http-server.js"), ...args]);
}

export function startPythonServer(): Promise<Server> {
  return startServer("python3", [inRepo("test/servers/python-server.py")]);
}

/** Starts servers of its own: `ask("fork", /^child (\d+) (\d+)/)` gives port and PID. */
export function startForkingServer(): Promise<Server> {
  return startServer("node", [inRepo("test/servers/forking-server.js")]);
}

/** Any of the servers, started as `command`. */
export async function startServer(command: string, args: readonly string[]): Promise<Server> {
  const child = startChild(command, args);
  const [, port] = await child.line(/^ready (\d+)$/);
  return {
    ...child,
    port: Number(port),
    counters: async () => JSON.parse((await child.ask("counters", /^\{.*/))[0]) as Tally,
  };
}

export interface Client extends Child {
  /** Sends `count` GETs over its one keep-alive connection and waits for the answers. */
  readonly get: (port: number, path: string, count: number) => Promise<void>;
}

export async function startClient(): Promise<Client> {
  const child = startChild("node", [inRepo("test/servers/http-client.js")]);
  await child.line(/^ready/);
  return {
    ...child,
    get: async (port, path, count) => {
      await child.ask(`${port} ${path} ${count}`, /^done/);
    },
  };
}
