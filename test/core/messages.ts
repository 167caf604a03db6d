/** HTTP/1.1 messages in short. */

export function get(uri: string, ...fields: string[]): string {
  return request("GET", uri, "", ...fields);
}

export function request(method: string, uri: string, body = "", ...fields: string[]): string {
  const length = body === "" ? [] : [`Content-Length: ${body.length}`];
  return `${[`${method} ${uri} HTTP/1.1`, "Host: h", ...length, ...fields].join("\r\n")}\r\n\r\n${body}`;
}

/** With a Content-Length, unless `body` is null. */
export function answer(status: number, body: string | null = "", ...fields: string[]): string {
  const length = body === null ? [] : [`Content-Length: ${body.length}`];
  return `${[`HTTP/1.1 ${status} Reason`, ...length, ...fields].join("\r\n")}\r\n\r\n${body ?? ""}`;
}

export function chunked(...chunks: string[]): string {
  return [...chunks, ""].map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("");
}
