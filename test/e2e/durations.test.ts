/**
 * Durations, exchange by exchange, against two clocks that are not ours: the calls' own times, by strace, between which
 * each must lie; and what the server logs, which must be what its clock is by its own source.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Sample } from "../../src/core/profile/sample.ts";
import { canConnect } from "../support/can-connect.ts";
import { freePort } from "../support/free-port.ts";
import { startL7prof } from "../support/l7prof.ts";
import { inRepo, temporaryDirectory } from "../support/paths.ts";
import { connectRaw, getRequest } from "../support/raw-client.ts";
import { type Call, startTraced, type Traced } from "../support/strace.ts";
import { until } from "../support/until.ts";

const COUNT = 101;
/** Of the two times of strace, and of ours, each cut to whole ones. */
const ROUNDING_US = 2;

/** A request on one of three connections at a time, each with its number in its URI. */
async function ask(port: number, paths: readonly string[]): Promise<void> {
  const connections = await Promise.all([1, 2, 3].map(() => connectRaw({ port, host: "127.0.0.1" })));
  const answers = connections.map(async (connection, worker) => {
    for (let n = worker; n < COUNT; n += connections.length) {
      await connection.write(getRequest(`${paths[n % paths.length]}?n=${n}`));
      await connection.response();
    }
    await connection.close();
  });
  await Promise.all(answers);
}

/** All calls of the server, and a sample of each exchange by its number. */
async function observe(server: Traced, port: number, paths: readonly string[], isLogged: () => boolean) {
  await until("it listens", () => canConnect(port), 60_000);
  const run = await startL7prof([
    "--pid",
    `${server.pid}`,
    "--slow",
    "0",
    "--interval",
    "0",
    "--max-samples-per-second",
    "10000",
  ]);
  await ask(port, paths);
  await until("all is logged", isLogged);
  const { samples } = await run.finish();
  return { calls: await server.calls(), samples: samples.filter(({ side }) => side === "server") };
}

/** Apache makes it with the first line. */
function linesOfFile(path: string): readonly string[] {
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
}

const READS = new Set(["read", "recvfrom", "recvmsg", "readv"]);
const WRITES = new Set(["write", "writev", "sendto", "sendmsg", "sendfile"]);

/** The call that read the request with this number, and the last one that wrote of its response. */
function callsOf(
  calls: readonly Call[],
  n: number,
): { readonly first: Call; readonly last: Call; readonly at: number } {
  const at = calls.findIndex(({ name, text }) => READS.has(name) && text.includes(`?n=${n} HTTP/`));
  const first = calls[at]!;
  const later = calls.slice(at + 1).filter(({ fd, result }) => fd === first.fd && result > 0);
  const next = later.findIndex(({ name }) => READS.has(name));
  const writes = (next === -1 ? later : later.slice(0, next)).filter(({ name }) => WRITES.has(name));
  return { first, last: writes.at(-1)!, at };
}

function numberOf({ request }: Sample): number {
  return Number(/n=(\d+)/.exec(request.uri)![1]);
}

/** Each lies between the shortest and the longest that the calls can have taken. */
function expectBetweenCalls(calls: readonly Call[], samples: readonly Sample[]): void {
  const outside = samples.flatMap((sample) => {
    const { first, last } = callsOf(calls, numberOf(sample));
    const [least, most] = [last.beganUs - first.wentOnUs, last.wentOnUs - first.beganUs];
    const us = sample.durationMs * 1000;
    return us >= least - ROUNDING_US && us <= most + ROUNDING_US ? [] : [{ uri: sample.request.uri, us, least, most }];
  });
  expect(samples.map(numberOf).toSorted((a, b) => a - b)).toEqual(Array.from({ length: COUNT }, (_, n) => n));
  expect(outside).toEqual([]);
}

test("nginx: between the times of its calls; and its $request_time is that between two rounds of its event loop", async () => {
  const [directory, port] = [temporaryDirectory(), await freePort()];
  writeFileSync(join(directory, "small.txt"), "A small file.\n");
  writeFileSync(join(directory, "large.bin"), Buffer.alloc(3_000_017));
  writeFileSync(
    join(directory, "nginx.conf"),
    `user root; daemon off; master_process off; pid nginx.pid;
events { worker_connections 64; }
http {
  log_format times '$request_uri $request_time';
  access_log access.log times;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  sendfile on;
  server { listen 127.0.0.1:${port}; root ${directory}; }
}
`,
  );
  const log = () => linesOfFile(join(directory, "access.log"));
  const server = startTraced([
    "nginx",
    "-p",
    directory,
    "-c",
    join(directory, "nginx.conf"),
    "-e",
    join(directory, "error.log"),
  ]);
  const paths = ["/small.txt", "/large.bin", "/missing"];
  const { calls, samples } = await observe(server, port, paths, () => log().length === COUNT);
  expectBetweenCalls(calls, samples);
  expect(log().map((line) => isBetweenRounds(calls, line) || line)).toEqual(log().map(() => true));
});

/** ngx_epoll_process_events() reads the time once, when epoll_wait() has returned; the log takes its milliseconds. */
function isBetweenRounds(calls: readonly Call[], line: string): boolean {
  const [uri, seconds] = line.split(" ");
  const n = Number(/n=(\d+)/.exec(uri!)![1]);
  const begun = callsOf(calls, n).at;
  const ended = calls.findIndex(({ name, text }) => name === "write" && text.includes(`"${uri} `));
  const [start, end] = [begun, ended].map((at) => calls.slice(0, at).findLast(({ name }) => name === "epoll_wait")!);
  const ms = (us: number) => Math.floor(us / 1000);
  const logged = Math.round(Number(seconds) * 1000);
  const [least, most] = [ms(end!.returnedUs) - ms(start!.wentOnUs), ms(end!.wentOnUs) - ms(start!.returnedUs)];
  return logged >= least && logged <= most;
}

test("Apache httpd: between the times of its calls; and its %D is from when it had the request line to when it logs", async () => {
  const [directory, port] = [temporaryDirectory(), await freePort()];
  writeFileSync(join(directory, "small.txt"), "A small file.\n");
  writeFileSync(join(directory, "large.bin"), Buffer.alloc(3_000_017));
  const modules = ["mpm_event", "authz_core"].map(
    (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
  );
  writeFileSync(
    join(directory, "httpd.conf"),
    `${modules.join("\n")}
ServerRoot ${directory}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${directory}/httpd.pid
DefaultRuntimeDir ${directory}
ErrorLog error.log
LogFormat "%U%q %D" times
CustomLog access.log times
DocumentRoot ${directory}
ServerLimit 1
StartServers 1
ThreadsPerChild 4
MaxRequestWorkers 4
MinSpareThreads 1
MaxSpareThreads 4
KeepAliveTimeout 60
`,
  );
  const log = () => linesOfFile(join(directory, "access.log"));
  const server = startTraced(["apache2", "-d", directory, "-f", "httpd.conf", "-D", "FOREGROUND"]);
  const paths = ["/small.txt", "/large.bin", "/missing"];
  const { calls, samples } = await observe(server, port, paths, () => log().length === COUNT);
  expectBetweenCalls(calls, samples);
  expect(log().map((line) => isFromLineToLog(calls, line) || line)).toEqual(log().map(() => true));
});

/** read_request_line() reads the time when it has the line, mod_log_config when it makes its own. */
function isFromLineToLog(calls: readonly Call[], line: string): boolean {
  const [uri, micros] = line.split(" ");
  const { first, last } = callsOf(calls, Number(/n=(\d+)/.exec(uri!)![1]));
  const logs = calls.find(({ name, text }) => name === "write" && text.includes(`"${uri} `))!;
  const [least, most] = [last.returnedUs - first.wentOnUs, logs.beganUs - first.returnedUs];
  return Number(micros) >= least - ROUNDING_US && Number(micros) <= most + ROUNDING_US;
}

test("Node: between the times of its calls", async () => {
  const port = await freePort();
  const server = startTraced(["node", inRepo("test/servers/http-server.js"), "--port", `${port}`]);
  const paths = ["/hello", "/size/3000017", "/slow/20"];
  const { calls, samples } = await observe(server, port, paths, () => true);
  expectBetweenCalls(calls, samples);
});
