// Node's clients: client.js fetch|undici|http BASE REQUESTS.json CONNECTIONS BEFORE. Prints a line for each exchange, with its
// milliseconds, and at the end the bytes that went over all connections since the first BEFORE requests, after which it
// reads `pipe` to its end. `undici` pipelines seven requests.
import { subscribe } from "node:diagnostics_channel";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";

const [kind, base, file, connections, before] = process.argv.slice(2);
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
process.removeAllListeners("warning"); // that nobody vouches for certificates
const module = base.startsWith("https:") ? https : http;
const requests = JSON.parse(readFileSync(file, "utf8"));
const sockets = new Set();
subscribe("undici:client:connected", ({ socket }) => sockets.add(socket));

const clients = {
  async fetch() {
    return async ({ method, uri, headers, body }) => {
      const response = await fetch(base + uri, { method, headers, body, duplex: "half" });
      await response.arrayBuffer();
      return response.status;
    };
  },
  async undici() {
    const { Pool } = await import("undici");
    const pool = new Pool(base, {
      pipelining: 7,
      connections: 2,
      keepAliveTimeout: 60_000,
      connect: { rejectUnauthorized: false },
    });
    return async ({ method, uri, headers, body }) => {
      const { statusCode, body: answer } = await pool.request({ method, path: uri, headers, body });
      await answer.arrayBuffer();
      return statusCode;
    };
  },
  async http() {
    const agent = new module.Agent({ keepAlive: true, maxSockets: Number(connections) });
    return ({ method, uri, headers, body }) =>
      new Promise((resolve, reject) => {
        const request = module.request(base + uri, { method, headers, agent }, (response) =>
          text(response).then(() => resolve(response.statusCode), reject),
        );
        request.on("socket", (socket) => sockets.add(socket)).on("error", reject);
        if (body instanceof Readable) body.pipe(request);
        else request.end(body);
      });
  },
};

function bodyOf({ bodyBytes, isChunked }) {
  if (bodyBytes === undefined) return undefined;
  const body = Buffer.alloc(bodyBytes, "x");
  return isChunked ? Readable.from([body.subarray(0, 1), body.subarray(1)]) : body;
}

const send = await clients[kind]();
let next = 0;
async function worker(end) {
  while (next < end) {
    const request = requests[next++];
    const { method, uri, headers = {} } = request;
    const body = bodyOf(request);
    const startMs = performance.now();
    const status = await send({ method, uri, headers, body });
    process.stdout.write(`${method}\t${uri}\t${status}\t-\t-\t${performance.now() - startMs}\n`);
  }
}
function workUpTo(end) {
  return Promise.all(Array.from({ length: kind === "undici" ? 14 : Number(connections) }, () => worker(end)));
}
const sum = (field) => [...sockets].reduce((total, socket) => total + socket[field], 0);
await workUpTo(Number(before));
if (before !== "0") await readFile("pipe");
const [written, read] = [sum("bytesWritten"), sum("bytesRead")];
await workUpTo(requests.length);
process.stdout.write(`total ${sum("bytesWritten") - written} ${sum("bytesRead") - read}\n`);
process.exit();
