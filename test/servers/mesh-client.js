// The client of the mesh: reads `HOST COUNT` lines, sends that many GETs one after the other, and says `done`.
import http from "node:http";
import { createInterface } from "node:readline";

const agent = new http.Agent({ keepAlive: true });

function get(host, n) {
  return new Promise((resolve, reject) => {
    http.get({ host, path: `/?n=${n}`, agent }, (response) => response.resume().on("end", resolve)).on("error", reject);
  });
}

createInterface({ input: process.stdin }).on("line", async (line) => {
  const [host, count] = line.split(" ");
  for (let n = 0; n < Number(count); n++) await get(host, n);
  process.stdout.write("done\n");
});
process.stdout.write("ready\n");
