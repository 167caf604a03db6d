// A parent that serves nothing itself and starts servers: each line `fork` on stdin starts one, which is answered
// with `child PORT PID`. Prints `ready 0`.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const serverFile = fileURLToPath(new URL("http-server.js", import.meta.url));
const print = (line) => process.stdout.write(`${line}\n`);

print("ready 0");
createInterface({ input: process.stdin })
  .on("line", (line) => line === "fork" && startServer())
  .on("close", () => process.exit());

function startServer() {
  const child = spawn(process.execPath, [serverFile], { stdio: ["pipe", "pipe", "inherit"] });
  createInterface({ input: child.stdout }).on("line", (line) => print(`child ${line.split(" ")[1]} ${child.pid}`));
}
