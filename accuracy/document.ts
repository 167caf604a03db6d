/** docs/ACCURACY.md. */
import { execFileSync } from "node:child_process";
import { release } from "node:os";
import type { Row } from "./row.ts";
import { summaryOf, tableOf } from "./table.ts";

/** `options`: with which the command ran. */
export function documentOf(rows: readonly Row[], options: string): string {
  return `# Accuracy

\`npm run accuracy -- ${options}\` (as root) wrote this page on ${new Date().toISOString().slice(0, 10)}, on Linux ${release()}.

Real clients do known work on real servers. Each row is one such pair, and it is \`exact\` only if all of these say the
same, exchange for exchange, in method, URI, status and sizes, as far as they know them:

- the work: what the client was told to do,
- the client's own count,
- the server's log; behind a proxy or cache also the log of the server that it asks,
- l7prof on the server (\`--pid\`), on the client (\`--pid\`) and on both (\`--cgroup\`), all at the same time: each by its
  samples, one for every exchange, and by its summary. Looking at both, it must see the same exchanges on either side.

A client that is _joined_ has opened its connections and done 23 requests on them before the three l7profs start, waits for
them, and goes on: what it then asks must count, all of it and no more, and l7prof must have seen as many connections that
were open before. (Where it pipelines it waits a second longer: no answer is then under way that l7prof has not seen asked
for.)

l7prof must also have missed nothing: no lost events, no unanswered requests, no orphan responses, coverage 1.

- _upstream_: exchanges between the proxy and its origin, compared with the origin's log.
- _request bytes_, _response bytes_: in brackets where neither client nor log counts them; then they were only compared
  between the two sides.
- _in client's_: exchanges whose duration, seen at the client, is not longer than what the client's own clock says, which
  it reads before it writes the request and when it has read the response. All must be, or the row is wrong.
- _log's durations_: how many of l7prof's are as near to the log's as its resolution, at least 1 ms. Those that are not
  are no error on either side: the log's clock is another one. nginx and HAProxy read the time once a round of their event
  loop, so a request that is answered within a round took 0 ms, and one that waits while the round serves others took
  longer; Apache starts its clock when it has read the request line, and stops it when it logs;
  and each can lose its core between its clock and its call. test/e2e/durations.test.ts compares each exchange with
  strace's times of the calls themselves. With pipelining, servers differ in when a request that waits begins.

**${summaryOf(rows)}**

${tableOf(rows)}

## Where a log or a client is not taken at its word

- nginx, Apache httpd and curl count the 25 bytes of \`HTTP/1.1 100 Continue\` as bytes of the response. To l7prof the
  response is the final one: interim responses are messages of their own (RFC 9110, 15.2).
- Apache httpd peeks at one byte of the next request on a connection, and its %I counts that byte twice: %I is not used.
- curl counts a body without its chunk framing, and one that goes out with the head twice: those sizes are not used.
- h2load counts less than it reads from connections that the server closes: that sum is not used.
- siege loses its way after a chunked body on a keep-alive connection: it runs with a connection for each request.
- HAProxy answers 400 to a connection that closes without a request, as ab opens some; here it has
  \`http-ignore-probes\`. Without that, l7prof counts an orphan response, which is what it is.
- Python's http.server closes after each answer and does not say so before: wget asks on such a connection in vain, and
  again on another. At the client those requests are without answer, as they are; at the server there are none.
- Varnish counts chunked bodies without their framing; here it does not unpack gzip, and so sends none.
- nginx as a proxy takes the end of the client's direction for its disappearance (499): no pair with a client that shuts
  its direction down after the request.

## Versions

${versions().join(", ")}
`;
}

const programs: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ["nginx", "nginx", "-v"],
  ["Apache httpd", "apache2", "-v"],
  ["HAProxy", "haproxy", "-v"],
  ["lighttpd", "lighttpd", "-v"],
  ["Caddy", "caddy", "version"],
  ["Node", "node", "--version"],
  ["Go", "go", "version"],
  ["Java", "java", "-version"],
  ["Python", "/usr/bin/python3", "--version"],
  ["gunicorn", "/usr/bin/gunicorn", "--version"],
  ["uvicorn", "/usr/bin/python3", "-m", "uvicorn", "--version"],
  ["Varnish", "varnishd", "-V"],
  ["squid", "squid", "-v"],
  ["ab", "ab", "-V"],
  ["wrk", "dpkg-query", "-W", "wrk"],
  ["h2load", "h2load", "--version"],
  ["curl", "curl", "--version"],
  ["siege", "dpkg-query", "-W", "siege"],
];

function versions(): readonly string[] {
  return programs.map(([name, command, ...args]) => {
    const text = execFileSync("sh", ["-c", '"$@" 2>&1', "sh", command, ...args], { encoding: "utf8" });
    return `${name} ${/\d+(\.\d+)+/.exec(text)?.[0] ?? "?"}`;
  });
}
