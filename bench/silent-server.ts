/** Reads what comes and never answers. */
import { createServer } from "node:net";

const server = createServer((socket) => socket.resume().on("error", () => socket.destroy()));
server.listen(0, "127.0.0.1", 4096, () => console.log(`ready ${(server.address() as { port: number }).port}`));
