// Node's http as a server: files, and what accuracy/work.ts calls abilities. Prints a line for each exchange.
import { createReadStream, readFileSync, statSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createGzip } from "node:zlib";

const routes = {
  "/upload": (request, response) => {
    let size = 0;
    request.on("data", (data) => {
      size += data.length;
    });
    request.on("end", () => response.end(`${size}\n`));
  },
  "/chunked": (_, response) => {
    for (let part = 0; part < 7; part++) response.write(`part ${part}\n`);
    response.end();
  },
  "/delay": async (_, response) => {
    await sleep(30);
    response.end("late\n");
  },
};

function sendFile(request, response, path) {
  const file = join(process.env.ROOT, path);
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) {
    response.statusCode = 404;
    response.end("no such file\n");
  } else if (request.headers["accept-encoding"] === "gzip") {
    response.setHeader("Content-Encoding", "gzip");
    createReadStream(file).pipe(createGzip()).pipe(response);
  } else {
    response.setHeader("Content-Length", size);
    if (request.method === "HEAD") response.end();
    else createReadStream(file).pipe(response);
  }
}

function answer(request, response) {
  const path = request.url.split("?")[0];
  // Not `finish`: a peer may close as soon as it has all that was announced.
  response.on("close", () => process.stdout.write(`${request.method}\t${request.url}\t${response.statusCode}\n`));
  if (routes[path]) routes[path](request, response);
  else sendFile(request, response, path);
}

const inRoot = (name) => readFileSync(join(process.env.ROOT, name));
const server = process.env.TLS
  ? https.createServer({ key: inRoot("key.pem"), cert: inRoot("cert.pem") }, answer)
  : http.createServer(answer);
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env.PORT), "127.0.0.1");
