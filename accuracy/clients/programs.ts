/** Our own programs on the clients of languages, and on plain sockets. */
import { inRepo } from "../../test/support/paths.ts";
import { exchangeOfLine } from "../account.ts";
import type { ClientDescription, ClientOutput, Task } from "../client.ts";
import { CONNECTIONS, type Request, work } from "../work.ts";

const programs = inRepo("accuracy/programs");

const COUNT = 211;

function argumentsOf({ base, before }: Task): readonly string[] {
  return [base, "requests.json", `${CONNECTIONS}`, `${before}`];
}

function accountOfLines({ lines }: ClientOutput) {
  const exchanges = lines.filter((line) => line.includes("\t")).map((line) => exchangeOfLine(line, 1));
  const total = lines.map((line) => /^total (\d+) (\d+)$/.exec(line)).find((match) => match !== null);
  const isTimed = exchanges.every(({ durationMs }) => durationMs !== null);
  return {
    exchanges,
    isTimed,
    ...(total && { totals: { requestBytes: Number(total[1]), responseBytes: Number(total[2]) } }),
  };
}

export const goClient: ClientDescription = {
  name: "Go net/http",
  canTls: true,
  requests: (abilities) => work({ count: COUNT, abilities }),
  command: (task) => [inRepo("tmp/accuracy/go-client"), ...argumentsOf(task)],
  account: accountOfLines,
};

export const pythonClient: ClientDescription = {
  name: "Python http.client",
  canTls: true,
  requests: (abilities) => work({ count: COUNT, abilities }),
  command: (task) => ["/usr/bin/python3", `${programs}/client.py`, ...argumentsOf(task)],
  account: accountOfLines,
};

function nodeClient(kind: "fetch" | "undici" | "http", name: string): ClientDescription {
  // A fetch without an Accept-Encoding of its own asks for gzip: its sizes are known all the same.
  return {
    name,
    canTls: true,
    requests: (abilities) => work({ count: COUNT, abilities }),
    command: (task) => ["node", `${programs}/client.js`, kind, ...argumentsOf(task)],
    account: accountOfLines,
  };
}

export const nodeHttp = nodeClient("http", "Node http.Agent");
export const nodeFetch = nodeClient("fetch", "Node fetch");
export const undici: ClientDescription = {
  ...nodeClient("undici", "undici, pipelining 7"),
  needs: ["pipelining"],
  isPipelining: true,
};

/** The requests of sockets.py. */
function socketRequests(count: number): readonly Request[] {
  const paths = ["/small.txt", "/page.html", "/missing", "/large.bin", "/empty.txt"];
  return Array.from({ length: count }, (_, n) => {
    const path = paths[n % paths.length]!;
    return { method: "GET", uri: `${path}?n=${n}`, status: path === "/missing" ? 404 : 200 };
  });
}

function socketClient(mode: string, name: string, count: number): ClientDescription {
  return {
    name,
    canTls: mode === "gnutls" ? "only" : mode !== "half-close",
    requests: () => socketRequests(count),
    command: ({ base, before }) => [
      ...["/usr/bin/python3", `${programs}/sockets.py`, mode, base, `${count}`],
      ...(before > 0 ? [`${before}`] : []),
    ],
    account: accountOfLines,
  };
}

export const socketsByteByByte = socketClient("bytes", "sockets, one-byte writes", 53);
export const socketsPipeline: ClientDescription = {
  ...socketClient("pipeline", "sockets, seven in one write", 211),
  needs: ["pipelining"],
  isPipelining: true,
};
export const socketsHttp10 = socketClient("close10", "sockets, HTTP/1.0", 101);
export const socketsResumed: ClientDescription = {
  ...socketClient("resume10", "sockets, HTTP/1.0, sessions resumed", 101),
  needs: ["resumption"],
};
export const socketsGnuTls = socketClient("gnutls", "sockets, GnuTLS", 101);
export const socketsHttp10KeepAlive = socketClient("keep10", "sockets, HTTP/1.0 keep-alive", 101);
export const socketsHalfClose: ClientDescription = {
  ...socketClient("half-close", "sockets, shutdown after the request", 101),
  needs: ["half-close"],
};
