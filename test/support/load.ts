import http from "node:http";

export interface Request {
  readonly method?: string;
  readonly path: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  /** Send the body without a length, in two chunks. */
  readonly chunked?: boolean;
}

export interface LoadOptions {
  readonly port: number;
  readonly count: number;
  readonly connections?: number;
  /** A connection for each request, closed after it. */
  readonly fresh?: boolean;
}

/** Sends `count` of the requests in turn, over `connections` keep-alive connections or fresh ones. */
export async function load(requests: readonly Request[], options: LoadOptions): Promise<void> {
  const { port, count, connections = 8, fresh = false } = options;
  const agent = fresh ? false : new http.Agent({ keepAlive: true, maxSockets: connections });
  let sent = 0;
  const worker = async () => {
    while (sent < count) await send(requests[sent++ % requests.length]!, port, agent);
  };
  await Promise.all(Array.from({ length: connections }, worker));
  if (agent) agent.destroy();
}

function send({ method = "GET", path, headers = {}, body, chunked }: Request, port: number, agent: http.Agent | false) {
  return new Promise<void>((resolve, reject) => {
    const length = body !== undefined && !chunked ? { "content-length": Buffer.byteLength(body) } : {};
    const options = { host: "127.0.0.1", port, method, path, agent, headers: { ...headers, ...length } };
    const request = http.request(options, (response) => response.resume().on("end", resolve).on("error", reject));
    request.on("error", reject);
    if (body !== undefined && chunked) request.write(body);
    request.end(body);
  });
}
