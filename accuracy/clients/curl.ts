/**
 * The requests as a file of options for curl, and what it prints of each. It counts a body without its chunk framing, and
 * one that it sends in the call that sends the head twice: what it says of those sizes is not used.
 */
import { exchangeOfLine } from "../account.ts";
import type { ClientOutput, Task } from "../client.ts";
import type { Request } from "../work.ts";

const format = "%{method}\\t%{url}\\t%{http_code}\\t%{size_request}\\t%{size_upload}\\t%{time_total}\\n";

export function curlConfig({ requests, base, before, directory }: Task): string {
  const transfers = requests.map((request) => optionsOf(request, base));
  if (before > 0) transfers.splice(before, 0, [`url = "file://${directory}/pipe"`]);
  return transfers.map((options) => options.join("\n")).join("\nnext\n");
}

function optionsOf(request: Request, base: string): readonly string[] {
  const { method, uri, headers = {}, bodyBytes, isChunked } = request;
  const body = bodyBytes === undefined ? [] : [`data-binary = "${"x".repeat(bodyBytes)}"`];
  return [
    `url = "${base}${uri}"`,
    'output = "/dev/null"',
    "insecure",
    `write-out = "${format}"`,
    ...(method === "HEAD" ? ["head"] : [`request = "${method}"`]),
    ...Object.entries(headers).map(([name, value]) => `header = "${name}: ${value}"`),
    ...(isChunked ? ['header = "Transfer-Encoding: chunked"'] : []),
    ...(headers.expect === undefined ? ['header = "Expect:"'] : []),
    ...body,
  ];
}

/** Of each file there is a beginning, and curl asks for the rest. */
export function resumingConfig({ requests, base }: Task): string {
  const options = ({ uri }: Request, n: number) => [
    `url = "${base}${uri}"`,
    `output = "part-${n}"`,
    'continue-at = "-"',
    "insecure",
    `write-out = "${format}"`,
  ];
  return requests.map((request, n) => options(request, n).join("\n")).join("\nnext\n");
}

export function curlAccount({ lines }: ClientOutput) {
  const exchanges = lines.map((line) => {
    const [method, url = "", status, request, upload, seconds] = line.split("\t");
    const uri = url.replace(/^https?:\/\/[^/]+/, "");
    const requestBytes = upload === "0" ? request : "-";
    return exchangeOfLine([method, uri, status, requestBytes, "-", Number(seconds) * 1000].join("\t"), 1);
  });
  return { exchanges, isTimed: true };
}
