/**
 * `--curl`: a shell script that sends the sampled requests again, in the order in which they were seen. What comes from
 * the network stands in single quotes or in base64, so that the shell and curl take it as it is. The script is bytes:
 * heads as they went over the connection (latin1), bodies as they are.
 */
import type { Header, Sample } from "../core/profile/sample.ts";
import { headerWord, isToken, singleQuoted as quoted, sentHeaders } from "../output/curl.ts";
import { headerOf, serverAuthority } from "../output/origin.ts";
import { rfc3339 } from "../output/rfc3339.ts";
import { ExportFile } from "./export-file.ts";
import type { Exporter, Trouble } from "./exporter.ts";

/** @throws UserError `cannot-write` */
export function openCurl(path: string, onTrouble: Trouble): Exporter {
  const file = new ExportFile("--curl", path, "requests", onTrouble, 0o777);
  file.write(PROLOGUE);
  let left = 0;
  return {
    name: `--curl ${path}`,
    sample(sample) {
      const command = curlCommand(sample);
      if (command === null) left++;
      else file.put(command);
    },
    end: async () => ({ ...file.end(), ...(left > 0 && { leftOut: `${left} that can't be sent again` }) }),
  };
}

const PROLOGUE = `#!/usr/bin/env bash
# Sends again the requests that l7prof sampled, to the servers that answered them, or to another:
#   BASE=http://staging.example:8080 bash this-script
# OPTIONS holds more options for curl; by default it prints bodies, and a line with each status.
# Where it says [redacted], a secret stood: put one there.
LC_ALL=C
BASE=\${BASE:-}
OPTIONS=\${OPTIONS:-}
send() {
  local base=$1
  shift
  # shellcheck disable=SC2086
  curl --silent --show-error --globoff --path-as-is --max-time 60 --write-out '\\n%{http_code}\\n' $OPTIONS "$@" "\${BASE:-$base}"
}
`;

/** Of this many bytes and more, a body does not fit on a command line. */
const LONG_BODY_BYTES = 65_536;

/** Null if the request can't be sent again: its headers were not kept, or its target is that of a CONNECT. */
export function curlCommand(sample: Sample): Buffer | null {
  const { request, response, timeUs, durationMs } = sample;
  if (request.headers.length === 0 || request.method === "CONNECT" || !isToken(request.method)) return null;
  const { method, uri, version } = request;
  const title = `${rfc3339(timeUs)} ${response.status} after ${durationMs} ms: ${method} ${uri}`;
  const body = bodyOf(sample);
  const words = [
    "send",
    quoted(`${sample.protocol}://${serverAuthority(sample)}`),
    ...unixSocket(sample),
    ...(method === "HEAD" ? ["--head"] : ["--request", quoted(method)]),
    version === "1.0" ? "--http1.0" : "--http1.1",
    "--request-target",
    quoted(uri),
    ...headerWords(request.headers, body !== null),
    ...(body === null ? [] : body.words),
  ];
  const isCut = request.truncated;
  const note = isCut ? `# not sent: only the beginning of its ${request.bytes} bytes was kept\n` : "";
  const command = `${body?.before ?? ""}${words.join(" ")}`;
  return Buffer.from(`\n# ${comment(title)}\n${note}${isCut ? commentedOut(command) : command}\n`, "latin1");
}

/** What curl would add. */
const ADDED = ["user-agent", "accept"];

function headerWords(headers: readonly Header[], hasBody: boolean): string[] {
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  const added = [...ADDED, ...(hasBody ? ["content-type", "expect"] : [])].filter((name) => !names.has(name));
  const sent = sentHeaders(headers).filter(([name]) => hasBody || name.toLowerCase() !== "transfer-encoding");
  return [
    ...sent.map((header) => `--header ${quoted(headerWord(header))}`),
    ...added.map((name) => `--header ${quoted(`${name}:`)}`),
  ];
}

function unixSocket({ wire, peer }: Sample): string[] {
  if (!wire?.connection.isUnix) return [];
  return ["--unix-socket", quoted(peer.address.replace(/^unix:/, ""))];
}

/** How curl gets the body, in latin1 of its bytes. */
function bodyOf(sample: Sample): { readonly before: string; readonly words: string[] } | null {
  const { body, bodyEncoding } = sample.request;
  if (body === "") return isLengthZero(sample) ? { before: "", words: ["--data-raw", "''"] } : null;
  const bytes = Buffer.from(body, bodyEncoding);
  if (bytes.length < LONG_BODY_BYTES && !bytes.includes(0)) {
    return { before: "", words: ["--data-raw", quoted(bytes.toString("latin1"))] };
  }
  return { before: `printf %s '${bytes.toString("base64")}' | base64 -d | `, words: ["--data-binary", "@-"] };
}

function isLengthZero(sample: Sample): boolean {
  return headerOf(sample, "content-length") === "0" && sample.request.method !== "HEAD";
}

function comment(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}

function commentedOut(command: string): string {
  return command.replace(/^/gm, "# ");
}
