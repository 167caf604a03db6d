// A client that is told what to do: each line `PORT PATH COUNT` on stdin makes it send COUNT GETs over one
// keep-alive connection; it then prints `done COUNT`. Prints `ready 0`. The argument is the host, or localhost.
import http from "node:http";
import { createInterface } from "node:readline";

const host = process.argv[2] ?? "localhost";
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

process.stdout.write("ready 0\n");
createInterface({ input: process.stdin })
  .on("line", (line) => run(line.split(" ")))
  .on("close", () => process.exit());

async function run([port, path, count]) {
  for (let sent = 0; sent < Number(count); sent++) await get(Number(port), path);
  process.stdout.write(`done ${count}\n`);
}

function get(port, path) {
  return new Promise((resolve, reject) => {
    http.get({ host, port, path, agent }, (response) => response.resume().on("end", resolve)).on("error", reject);
  });
}
