/**
 * C++ exceptions that callbacks throw through probed functions, and threads that are cancelled within them: they are
 * caught as without l7prof, and what comes after them is counted exactly.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { createCertificate } from "../support/certificate.ts";
import { edgesOf, profile } from "../support/l7prof.ts";
import { startNginx } from "../support/nginx.ts";
import { inRepo } from "../support/paths.ts";
import { type Server, startServer } from "../support/servers.ts";
import { tallyOf } from "../support/tally.ts";

const directory = inRepo("tmp/tls");
const program = join(directory, "tls-throws");

const throws = 5;
/** After each throw eleven in a new session; */
const after = throws * 11;
/** twice in the one where it was thrown, too: that which it cut, and eleven; */
const afterAndGoingOn = after + 2 * (1 + 11);
/** or eleven by the thread that is then cancelled. */
const beforeAndAfter = throws * 11 + after;

/** What is thrown through, and how many exchanges there are. */
const calls = [
  ["SSL_read", afterAndGoingOn],
  ["SSL_read_ex", afterAndGoingOn],
  ["SSL_write", afterAndGoingOn],
  ["SSL_write_ex", afterAndGoingOn],
  ["SSL_do_handshake", after],
  ["SSL_connect", after],
  ["SSL_accept", after],
  ["gnutls_record_recv", afterAndGoingOn],
  ["gnutls_record_send", afterAndGoingOn],
  ["gnutls_handshake", after],
  ["SSL_read-cancelled", beforeAndAfter],
  ["gnutls_record_recv-cancelled", beforeAndAfter],
] as const;

beforeAll(() => {
  mkdirSync(directory, { recursive: true });
  const sources = ["main", "openssl", "gnutls"].map((name) => inRepo(`test/servers/tls-throws/${name}.cc`));
  const options = ["-std=c++17", "-O2", "-Wall", "-Wextra", "-pthread", "-o", program];
  execFileSync("g++", [...options, ...sources, "-lssl", "-lcrypto", "-lgnutls"]);
});

function startProgram(): Promise<Server> {
  const { key, cert } = createCertificate();
  return startServer(program, [key, cert]);
}

/** How many were caught. */
async function throwThrough(server: Server, call: string, depths: string): Promise<number> {
  return Number((await server.ask(`${call} ${depths} ${throws}`, /^done (\d+)$/))[1]);
}

// The call of a library that has not returned must not be taken for the caller of those that come after it.
describe.each([
  ["higher on the stack", "5003 0"],
  ["deeper on the stack", "0 5003"],
] as const)("what follows is %s", (_, depths) => {
  test.each(calls)("thrown through %s", async (call, exchanges) => {
    const server = await startProgram();
    let caught = 0;
    const { summary, warnings } = await profile(["--pid", `${server.pid}`], async () => {
      caught = await throwThrough(server, call, depths);
    });
    expect(caught).toBe(throws);
    expect(server.isRunning()).toBe(true);
    expect(warnings).toEqual([]);
    const tally = await server.counters();
    expect(tally.exchanges).toEqual({ [`GET /${call} 200`]: exchanges });
    expect(tallyOf(edgesOf(summary, "client"))).toEqual(tally);
    expect(tallyOf(edgesOf(summary, "server"))).toEqual(tally);
    expect(new Set(summary.edges.map(({ protocol }) => protocol))).toEqual(new Set(["https"]));
    expect(new Set(summary.edges.map(({ peer }) => peer.pid))).toEqual(new Set([server.pid]));
    expect(summary.capture).toMatchObject({ coverage: 1, lostEvents: 0, unansweredRequests: 0, orphanResponses: 0 });
    expect(summary.unreadableTls).toBeUndefined();
  });
});

// The probes are in a library for all processes that have mapped it.
test("a program that is no target", async () => {
  const nginx = await startNginx({ tls: { certificate: createCertificate(), protocols: "TLSv1.3" } });
  const server = await startProgram();
  let caught = 0;
  await profile(["--pid", `${nginx.pid}`], async () => {
    for (const [call] of calls) caught += await throwThrough(server, call, "0 0");
  });
  expect(caught).toBe(throws * calls.length);
});

test("the program itself is right: with --tls off all is caught, and nothing read", async () => {
  const server = await startProgram();
  const { summary } = await profile(["--tls", "off", "--pid", `${server.pid}`], async () => {
    for (const [call] of calls) expect(await throwThrough(server, call, "0 0")).toBe(throws);
  });
  expect(summary.edges).toEqual([]);
  const expected = calls.map(([call, exchanges]) => [`GET /${call} 200`, exchanges]);
  expect((await server.counters()).exchanges).toEqual(Object.fromEntries(expected));
});
