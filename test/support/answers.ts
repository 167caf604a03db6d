import http from "node:http";
import type { Request } from "./load.ts";

/** Sends `count` of the requests in turn over one keep-alive connection, and answers the bodies that came back. */
export async function askForBodies(requests: readonly Request[], port: number, count: number): Promise<string[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const bodies: string[] = [];
  for (let sent = 0; sent < count; sent++) bodies.push(await ask(requests[sent % requests.length]!, port, agent));
  agent.destroy();
  return bodies;
}

function ask({ method = "GET", path, headers = {}, body }: Request, port: number, agent: http.Agent) {
  return new Promise<string>((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const options = { host: "127.0.0.1", port, method, path, agent, headers: { ...headers, ...length } };
    const request = http.request(options, (response) => {
      let text = "";
      response.setEncoding("latin1").on("data", (data) => {
        text += data;
      });
      response.on("end", () => resolve(text)).on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}
