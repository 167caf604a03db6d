// Says exactly what it is told to: node scripted-server.js FILE.json, which has for each path a list of what to do: bytes to
// write in one call (a string), milliseconds to wait (a number), or null to end the connection. Requests have no body
// and are answered in order. Prints `ready PORT`.

import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const scripts = JSON.parse(readFileSync(process.argv[2], "utf8"));

const server = createServer({ noDelay: true }, async (socket) => {
  socket.on("error", () => socket.destroy());
  let rest = "";
  for await (const data of socket) {
    rest += data.toString("latin1");
    const requests = rest.split("\r\n\r\n");
    rest = requests.pop();
    for (const request of requests) await answer(socket, request.split(" ")[1].split("?")[0]);
  }
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`ready ${server.address().port}\n`));
process.stdin.resume().on("close", () => process.exit());

async function answer(socket, path) {
  for (const step of scripts[path]) {
    if (step === null) socket.end();
    else if (typeof step === "number") await sleep(step);
    else await new Promise((resolve) => socket.write(step, "latin1", resolve));
  }
}
