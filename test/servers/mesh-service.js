// A service of the mesh: mesh-service.js HOST PORT DELAY_MS [URL CALLS]. Each request takes DELAY_MS, and asks URL CALLS times.
import http from "node:http";

const [host, port, delayMs, url, calls = "0"] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true });

function ask() {
  return new Promise((resolve, reject) => {
    http.get(url, { agent }, (response) => response.resume().on("end", resolve)).on("error", reject);
  });
}

const server = http.createServer(async (_request, response) => {
  await new Promise((resolve) => setTimeout(resolve, Number(delayMs)));
  for (let i = 0; i < Number(calls); i++) await ask();
  response.end("done\n");
});
server.keepAliveTimeout = 60_000;
server.listen(Number(port), host, () => process.stdout.write("ready\n"));
