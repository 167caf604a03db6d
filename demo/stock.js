// The service behind the shop: says how many of an item there are. Prints `ready PORT`.
import http from "node:http";

process.title = "stock";

const server = http.createServer((request, response) => {
  const item = Number(request.url.split("/").at(-1));
  setTimeout(() => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ item, left: item % 7 }));
  }, 3);
});

server.listen(0, "127.0.0.1", () => process.stdout.write(`ready ${server.address().port}\n`));
