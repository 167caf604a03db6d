// The shop's customers: `node demo/load.js PORT SECONDS`. Six keep-alive connections at a modest rate, then it ends.
import { randomBytes } from "node:crypto";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const port = Number(process.argv[2]);
const endsAt = Date.now() + Number(process.argv[3]) * 1000;
const hex = (bytes) => randomBytes(bytes).toString("hex");
const base64 = (text) => Buffer.from(text).toString("base64");

const w3c = () => ({ traceparent: `00-${hex(16)}-${hex(8)}-01` });
const b3 = () => ({ b3: `${hex(16)}-${hex(8)}-1` });
const skywalking = () => ({
  sw8: `1-${base64(hex(16))}-${base64(hex(16))}-0-${base64("web")}-${base64("i1")}-${base64("/buy")}-${base64("shop")}`,
});

const order = JSON.stringify({ cart: [1, 2, 3], card: "on file" });

const visits = [
  () => get("/"),
  () => get(`/users/${Math.ceil(Math.random() * 5000)}`),
  () => get(`/stock/${Math.ceil(Math.random() * 90)}`, w3c()),
  () => get(`/users/${Math.ceil(Math.random() * 5000)}?token=s3cret`, { authorization: "Bearer s3cret" }),
  () => get("/feed"),
  () => get("/"),
  () => get(`/stock/${Math.ceil(Math.random() * 90)}`),
  () => get("/catalogue"),
  () => post("/checkout", order, skywalking()),
];

const troubles = [
  () => get("/search?q=lamp", w3c()),
  () => post("/checkout?pay=later&token=s3cret", order, skywalking()),
  () => get("/old-page", b3()),
];

await Promise.all([...Array.from({ length: 5 }, visitSteadily), runIntoTrouble()]);

async function visitSteadily() {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  for (let turn = Math.floor(Math.random() * visits.length); Date.now() < endsAt; turn++) {
    await send(visits[turn % visits.length](), agent);
    await sleep(20);
  }
  agent.destroy();
}

async function runIntoTrouble() {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  for (let turn = 0; Date.now() < endsAt; turn++) {
    await send(troubles[turn % troubles.length](), agent);
    await sleep(1000);
  }
  agent.destroy();
}

function get(path, headers = {}) {
  return { method: "GET", path, headers, body: "" };
}

function post(path, body, headers = {}) {
  return { method: "POST", path, headers: { "content-type": "application/json", ...headers }, body };
}

function send({ body, ...options }, agent) {
  return new Promise((resolve) => {
    const request = http.request({ ...options, port, agent }, (response) => response.resume().on("close", resolve));
    request.on("error", resolve);
    request.end(body);
  });
}
