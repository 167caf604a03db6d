// A small shop, the service that the demo profiles: `node demo/service.js STOCK_PORT`. Prints `ready PORT`.
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

process.title = "shop";

const stockPort = Number(process.argv[2]);
const agent = new http.Agent({ keepAlive: true });
const catalogue = JSON.stringify(
  Array.from({ length: 20_000 }, (_, id) => ({ id, name: `Item number ${id}`, price: id * 3 })),
);

const routes = [
  [/^\/$/, (response) => response.end("Welcome to the shop.\n")],
  [/^\/users\/(\d+)$/, (response, [id]) => sendJson(response, 200, { id, name: `User ${id}` })],
  [/^\/search$/, (response) => sleep(1200).then(() => sendJson(response, 200, { hits: 3 }))],
  [/^\/checkout$/, sendReceipt],
  [/^\/feed$/, sendFeed],
  [/^\/catalogue$/, (response) => response.end(catalogue)],
  [/^\/stock\/(\d+)$/, sendStock],
];

const server = http.createServer((request, response) => {
  request.resume();
  const path = request.url.split("?")[0];
  for (const [pattern, answer] of routes) {
    const match = pattern.exec(path);
    if (match) return answer(response, match.slice(1), request);
  }
  sendJson(response, 404, { error: `no such page: ${path}` });
});

server.listen(0, "127.0.0.1", () => process.stdout.write(`ready ${server.address().port}\n`));

function sendJson(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

function sendReceipt(response, _, { url }) {
  if (url.includes("pay=later")) sendJson(response, 500, { error: "the payment provider did not answer" });
  else sendJson(response, 201, { order: 4711, total: 99 });
}

/** Several writes without a length: goes out in chunks. */
async function sendFeed(response) {
  for (let item = 0; item < 4; item++) {
    response.write(`news item ${item}\n`);
    await sleep(5);
  }
  response.end();
}

/** Asks the stock service, and passes the trace context on. */
function sendStock(response, [item], { headers }) {
  const passedOn = headers.traceparent ? { traceparent: headers.traceparent } : {};
  http
    .get({ port: stockPort, path: `/left/${item}`, agent, headers: passedOn }, (answer) => {
      response.writeHead(answer.statusCode, { "content-type": "application/json" });
      answer.pipe(response);
    })
    .on("error", () => sendJson(response, 502, { error: "the stock service did not answer" }));
}
