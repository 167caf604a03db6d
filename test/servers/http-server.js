// The server of most end-to-end tests: one route for each form an exchange can take.
//   node http-server.js [--port N] [--host ADDRESS] [--path UNIX_SOCKET] [--key FILE --cert FILE [--plain] [--pensive]] [--http2]
// --plain: plain HTTP beside HTTPS; prints `plain PORT` first. --pensive: sleeps inside the library's call in a handshake.
// Prints `ready PORT`. Each line `counters` on stdin is answered with what it served, as one line of JSON.

import { readFileSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    host: { type: "string", default: "127.0.0.1" },
    path: { type: "string" },
    key: { type: "string" },
    cert: { type: "string" },
    plain: { type: "boolean", default: false },
    pensive: { type: "boolean", default: false },
    http2: { type: "boolean", default: false },
  },
});

const exchanges = {};
const sockets = new Set();

const routes = [
  [/^\/hello$/, (response) => response.end("Hello from the server.\n\n")],
  [/^\/status\/(\d+)$/, (response, [status]) => end(response, Number(status))],
  [/^\/size\/(\d+)$/, (response, [size]) => response.end(Buffer.alloc(Number(size), "x"))],
  [/^\/chunked\/(\d+)$/, (response, [chunks]) => sendParts(response, Number(chunks))],
  [/^\/until-close\/(\d+)$/, sendUntilClose],
  [/^\/events\/(\d+)$/, sendEvents],
  [/^\/slow\/(\d+)$/, (response, [ms]) => sleep(Number(ms)).then(() => response.end("at last\n"))],
  [/^\/early-hints$/, sendEarlyHints],
  [/^\/upload$/, receive],
  [/^\/trailers$/, sendTrailers],
];

const server = createServer(answer);
server.on(options.key ? "secureConnection" : "connection", (socket) => sockets.add(socket));
if (options.plain) await listenPlain();
if (!options.http2) {
  server.on("upgrade", (request, socket) =>
    tunnel(request, socket, 101, "Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade"),
  );
  server.on("connect", (request, socket) => tunnel(request, socket, 200, "Connection Established"));
  server.keepAliveTimeout = 120_000;
}

const address = options.path ? { path: options.path } : { port: Number(options.port), host: options.host };
server.listen(address, () => print(`ready ${server.address().port ?? 0}`));

createInterface({ input: process.stdin })
  .on("line", (line) => line === "counters" && print(JSON.stringify(counters())))
  .on("close", () => process.exit());

function listenPlain() {
  const plain = http.createServer(answer).on("connection", (socket) => sockets.add(socket));
  return new Promise((resolve) => {
    plain.listen(0, "127.0.0.1", () => {
      print(`plain ${plain.address().port}`);
      resolve();
    });
  });
}

function createServer(handler) {
  if (options.http2) return http2.createServer((_, response) => response.end("over HTTP/2\n"));
  if (!options.key) return http.createServer(handler);
  const secrets = { key: readFileSync(options.key), cert: readFileSync(options.cert) };
  return https.createServer({ ...secrets, ...(options.pensive && { ALPNCallback: sleepOver }) }, handler);
}

function sleepOver({ protocols }) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);
  return protocols[0];
}

function answer(request, response) {
  response.on("finish", () => count(request, response.statusCode));
  const path = request.url.split("?")[0];
  for (const [pattern, respond] of routes) {
    const match = pattern.exec(path);
    if (match) return respond(response, match.slice(1), request);
  }
  end(response, 404, "no such route\n");
}

function end(response, status, body = "") {
  response.statusCode = status;
  response.end(body);
}

async function sendParts(response, parts) {
  for (let part = 0; part < parts; part++) {
    response.write(`part ${part}\n`);
    await sleep(1);
  }
  response.end();
}

function sendUntilClose(response, [parts]) {
  response.useChunkedEncodingByDefault = false;
  return sendParts(response, Number(parts));
}

async function sendEvents(response, [events]) {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (let id = 0; id < Number(events); id++) {
    response.write(`id: ${id}\ndata: tick\n\n`);
    await sleep(20);
  }
  response.end();
}

function sendEarlyHints(response) {
  response.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" });
  setTimeout(() => response.end("after the hints\n"), 50);
}

function sendTrailers(response) {
  response.writeHead(200, { trailer: "x-sum" });
  response.write("a body\n");
  response.addTrailers({ "x-sum": "17" });
  response.end();
}

function receive(response, _, request) {
  let size = 0;
  request.on("data", (data) => {
    size += data.length;
  });
  request.on("end", () => response.end(`${size}\n`));
}

function tunnel(request, socket, status, rest) {
  socket.write(`HTTP/1.1 ${status} ${rest}\r\n\r\n`);
  count(request, status);
  socket.on("error", () => socket.destroy());
  socket.pipe(socket);
}

function count({ method, url }, status) {
  const key = `${method} ${url.split("?")[0]} ${status}`;
  exchanges[key] = (exchanges[key] ?? 0) + 1;
}

function counters() {
  const sum = (field) => [...sockets].reduce((total, socket) => total + socket[field], 0);
  return { exchanges, requestBytes: sum("bytesRead"), responseBytes: sum("bytesWritten") };
}

function print(line) {
  process.stdout.write(`${line}\n`);
}
