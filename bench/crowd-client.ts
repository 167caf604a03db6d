/**
 * A client of many connections, told what to do line by line on stdin: `open N` to have N of them in all, `get COUNT`
 * to send so many GETs over them in turn and wait for the answers, `ask` to send one on each and wait for none, `close`.
 * Arguments: the port, then the addresses that the connections are spread over.
 */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

/** Requests under way at a time, each on a connection of its own. */
const WINDOW = 2;
const OPENED_AT_ONCE = 128;

const [port, ...addresses] = process.argv.slice(2);
const sockets: Socket[] = [];
let next = 0;

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const [command, count] = line.split(" ");
  if (command === "open") await open(Number(count));
  else if (command === "get") await get(Number(count));
  else if (command === "ask") for (const socket of sockets) socket.write(request());
  else await close();
  console.log(`done ${line}`);
}

async function open(count: number): Promise<void> {
  const opener = async () => {
    while (sockets.length < count) {
      const socket = connect(Number(port), addresses[sockets.length % addresses.length]!);
      sockets.push(socket);
      socket.setNoDelay(true);
      await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    }
  };
  await Promise.all(Array.from({ length: OPENED_AT_ONCE }, opener));
}

async function get(count: number): Promise<void> {
  let left = count;
  const asker = async () => {
    while (left-- > 0) await exchange(sockets[next++ % sockets.length]!);
  };
  await Promise.all(Array.from({ length: Math.min(WINDOW, sockets.length) }, asker));
}

/** The answers are short: each comes in one piece. */
function exchange(socket: Socket): Promise<void> {
  socket.write(request());
  return new Promise((resolve, reject) => {
    socket.once("data", (data) => {
      if (data.includes("\r\n\r\n")) resolve();
      else reject(new Error(`half an answer: ${data}`));
    });
  });
}

function request(): string {
  return "GET /hello HTTP/1.1\r\nHost: crowd\r\n\r\n";
}

async function close(): Promise<void> {
  const closing = sockets.splice(0).map((socket) => {
    socket.destroy();
    return new Promise((resolve) => socket.once("close", resolve));
  });
  await Promise.all(closing);
}
