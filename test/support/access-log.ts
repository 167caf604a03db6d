import type { Tally } from "./tally.ts";

/** The fields of one line, tab-separated: `log_format` of nginx.ts. */
export const accessLogFormat = ["$request_method", "$request_uri", "$status", "$request_length", "$bytes_sent"].join(
  "\\t",
);

export function tallyOfAccessLog(text: string): Tally {
  const exchanges: Record<string, number> = {};
  let requestBytes = 0;
  let responseBytes = 0;
  for (const line of text.split("\n").filter(Boolean)) {
    const [method, uri = "", status, requestLength, bytesSent] = line.split("\t");
    const key = `${method} ${uri.split("?")[0]} ${status}`;
    exchanges[key] = (exchanges[key] ?? 0) + 1;
    requestBytes += Number(requestLength);
    responseBytes += Number(bytesSent);
  }
  return { exchanges, requestBytes, responseBytes };
}
