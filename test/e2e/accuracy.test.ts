import { describe, expect, test } from "vitest";
import { exchangeOfLine } from "../../accuracy/account.ts";
import type { ClientDescription } from "../../accuracy/client.ts";
import { clients } from "../../accuracy/clients/index.ts";
import { measure, openStage } from "../../accuracy/measure.ts";
import { servers } from "../../accuracy/servers/index.ts";
import { isWrong, tableOf } from "../../accuracy/table.ts";

/**
 * A part of `npm run accuracy`: files by sendfile, a unix socket, a thread pool, splice, writev; HTTPS, with connections
 * that were open before.
 */
const pairs: Readonly<Record<string, readonly string[]>> = {
  nginx: ["curl", "undici, pipelining 7", "sockets, shutdown after the request"],
  "nginx, proxy to gunicorn on a unix socket": ["Node fetch"],
  "Apache httpd": ["ab -k"],
  "HAProxy, splice, to nginx": ["wrk, pipelining seven"],
  lighttpd: ["siege", "curl, joined"],
  "nginx, HTTPS (TLS 1.3)": ["curl, joined", "sockets, seven in one write, joined"],
  "Apache httpd, HTTPS": ["Python http.client, joined", "sockets, GnuTLS, joined"],
  "Node https": ["Node http.Agent, joined"],
};

/** Each pair starts l7prof three times, which takes seconds of CPU that a busy machine may not have. */
const timeoutMs = 300_000;

describe.each(Object.entries(pairs))("%s", (serverName, clientNames) => {
  test(
    `${clientNames.join("; ")}: clients, logs and l7prof agree`,
    async () => {
      const stage = await openStage(named(servers, serverName));
      for (const name of clientNames) {
        const row = await measure(stage, named(clients, name));
        expect(row).toMatchObject({ client: name, difference: null });
        expect(row.exchanges).toBeGreaterThan(40);
      }
    },
    timeoutMs,
  );
});

test(
  "a log that says something else makes the row wrong, and the first difference names it",
  async () => {
    const nginx = named(servers, "nginx");
    const parse = (line: string) => {
      const exchange = exchangeOfLine(line, 1000);
      return exchange.uri.endsWith("?n=7") ? { ...exchange, status: 410 } : exchange;
    };
    const stage = await openStage({ ...nginx, log: { ...nginx.log, parse } });
    const row = await measure(stage, named(clients, "sockets, HTTP/1.0"));
    expect(row.difference).toBe("GET /missing?n=7 404: sockets, HTTP/1.0 1×, nginx's log 0×");
    expect(isWrong(row)).toBe(true);
    expect(tableOf([row])).toContain("WRONG: GET /missing?n=7 404");
  },
  timeoutMs,
);

test(
  "a client whose connections do not stay open is none that was joined",
  async () => {
    const curl = named(clients, "curl, joined");
    const requests: ClientDescription["requests"] = (abilities) =>
      curl.requests(abilities).map((request) => ({ ...request, headers: { ...request.headers, connection: "close" } }));
    const row = await measure(await openStage(named(servers, "nginx")), { ...curl, requests });
    expect(row.difference).toBe("0 connections were open before l7prof looked, not 1");
  },
  timeoutMs,
);

test(
  "a client that fails is a wrong row that says so",
  async () => {
    const failing: ClientDescription = {
      ...named(clients, "curl"),
      command: () => ["sh", "-c", "echo no luck >&2; exit 3"],
    };
    const row = await measure(await openStage(named(servers, "nginx")), failing);
    expect(row.difference).toBe("curl ended with 3: no luck");
  },
  timeoutMs,
);

function named<T extends { readonly name: string }>(all: readonly T[], name: string): T {
  const found = all.find((one) => one.name === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
}
