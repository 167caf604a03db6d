/** Servers of languages, with our own program or application on them. */
import { inRepo } from "../../test/support/paths.ts";
import { exchange } from "../account.ts";
import type { Place, ServerDescription } from "../server.ts";
import type { Ability } from "../work.ts";

const programs = inRepo("accuracy/programs");
const debianPython = "/usr/bin/python3"; // the one that has Debian's modules

/** What our own programs do. */
const abilities: readonly Ability[] = ["upload", "chunked", "delay", "continue"];

export const node: ServerDescription = {
  name: "Node http",
  abilities: [...abilities, "gzip", "keep-alive", "pipelining"],
  command: () => ["node", `${programs}/server.js`],
  log: { from: "stdout" },
};

export const nodeTls: ServerDescription = {
  ...node,
  name: "Node https",
  abilities: [...node.abilities, "resumption"],
  isTls: true,
  env: () => ({ TLS: "1" }),
};

export const go: ServerDescription = {
  name: "Go net/http",
  abilities: [...abilities, "range", "unsatisfiable range", "conditional", "keep-alive", "pipelining"],
  command: () => [inRepo("tmp/accuracy/go-server")],
  log: { from: "stdout" },
};

export const goTls: ServerDescription = {
  ...go,
  name: "Go net/http, HTTPS",
  isTls: true,
  env: () => ({ TLS: "1" }),
};

/** Without symbols. */
export const goStrippedTls: ServerDescription = {
  ...goTls,
  name: "Go, stripped, HTTPS",
  command: () => [inRepo("tmp/accuracy/go-server-stripped")],
};

export const java: ServerDescription = {
  name: "Java com.sun.net.httpserver",
  abilities: [...abilities, "keep-alive"],
  command: () => ["java", `${programs}/Server.java`],
  log: { from: "stdout" },
};

/** `127.0.0.1 - - [date] "GET /x HTTP/1.1" 200 -`, and uvicorn's `INFO:  127.0.0.1:9 - "GET /x HTTP/1.1" 200 OK`. */
function requestInQuotes(line: string) {
  const [, method, uri, status] = /"(\S+) (\S+) HTTP\/1\.\d" (\d{3})/.exec(line) ?? [];
  return method && uri ? exchange(method, uri, Number(status)) : null;
}

export const pythonHttpServer: ServerDescription = {
  name: "Python http.server",
  abilities: ["conditional"],
  closesUnannounced: true,
  command: ({ directory, port }) => [
    ...[debianPython, "-u", "-m", "http.server", `${port}`],
    ...["--bind", "127.0.0.1", "--directory", directory],
  ],
  log: { from: "stderr", parse: requestInQuotes },
};

function uvicornCommand({ port }: Place): readonly string[] {
  return [
    ...[debianPython, "-u", "-m", "uvicorn", "asgi:application", "--app-dir", programs],
    ...["--port", `${port}`, "--http", "h11", "--timeout-keep-alive", "60"],
  ];
}

export const uvicorn: ServerDescription = {
  name: "uvicorn",
  abilities: [...abilities, "keep-alive", "pipelining"],
  command: uvicornCommand,
  log: { from: "stdout", parse: requestInQuotes },
};

const certificate = ["--keyfile", "key.pem", "--certfile", "cert.pem"] as const;

/** asyncio's TLS: the library works on memory. */
export const uvicornTls: ServerDescription = {
  ...uvicorn,
  name: "uvicorn, HTTPS",
  abilities: [...uvicorn.abilities, "resumption"],
  isTls: true,
  command: (place) => [...uvicornCommand(place), ...certificate.map((word) => word.replace("--", "--ssl-"))],
};

function gunicornCommand(bind: (place: Place) => string, ...more: readonly string[]) {
  return (place: Place) => [
    ...[debianPython, "-u", "/usr/bin/gunicorn", "wsgi:application", "--chdir", programs, "--bind", bind(place)],
    ...["--workers", "3", "--access-logfile", "-"],
    ...["--access-logformat", "%(m)s\t%({raw_uri}e)s\t%(s)s\t-\t-\t%(D)s", ...more],
  ];
}

/** Forks its workers before they accept; this kind of worker closes each connection after its answer. */
export const gunicorn: ServerDescription = {
  name: "gunicorn",
  abilities,
  command: gunicornCommand(({ port }) => `127.0.0.1:${port}`),
  log: { from: "stdout" },
};

export const gunicornThreads: ServerDescription = {
  ...gunicorn,
  name: "gunicorn, threads",
  abilities: [...abilities, "keep-alive"],
  command: gunicornCommand(({ port }) => `127.0.0.1:${port}`, "--threads", "4", "--keep-alive", "60"),
};

/** Python's ssl on sockets that block, in threads. */
export const gunicornTls: ServerDescription = {
  ...gunicornThreads,
  name: "gunicorn, threads, HTTPS",
  isTls: true,
  command: (place) => [
    ...gunicornThreads.command(place),
    ...["--keyfile", `${place.directory}/key.pem`, "--certfile", `${place.directory}/cert.pem`],
  ],
};

export const gunicornOnUnixSocket: ServerDescription = {
  ...gunicorn,
  name: "gunicorn on a unix socket",
  isUnix: true,
  command: gunicornCommand(({ directory }) => `unix:${directory}/http.sock`),
};
