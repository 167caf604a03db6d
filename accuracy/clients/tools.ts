/** Clients that Debian has. Their own counts are read from what they print. */
import { type Account, exchange, repeat, type Totals } from "../account.ts";
import type { ClientDescription, ClientOutput, Task } from "../client.ts";
import { type Request, work } from "../work.ts";
import { curlAccount, curlConfig, resumingConfig } from "./curl.ts";

/** `count` times the same. */
function same(count: number, request: Request): readonly Request[] {
  return Array.from({ length: count }, () => request);
}

const page: Request = { method: "GET", uri: "/page.html", status: 200 };
const upload: Request = { method: "POST", uri: "/upload", bodyBytes: 1013, status: 200 };

/** A client that tells no more than how many of its requests were answered: `done` must be all of them. */
function accountOfCount(done: number, { requests }: Task, totals: Totals = {}): Omit<Account, "by"> {
  const exchanges = requests.map(({ method, uri, status }) => exchange(method, uri, status));
  const surplus = repeat(Math.max(0, done - exchanges.length), exchange("-", "-", 0));
  return { exchanges: [...exchanges.slice(0, done), ...surplus], totals };
}

function numberAfter(text: string, pattern: RegExp): number | undefined {
  const [, digits] = pattern.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function abAccount({ lines }: ClientOutput, task: Task): Omit<Account, "by"> {
  const text = lines.join("\n");
  const responseBytes = numberAfter(text, /^Total transferred: +(\d+)/m);
  const requestBytes = numberAfter(text, /^Total body sent: +(\d+)/m);
  const bad = (numberAfter(text, /^Failed requests: +(\d+)/m) ?? 0) + (numberAfter(text, /^Non-2xx.*: +(\d+)/m) ?? 0);
  return accountOfCount((numberAfter(text, /^Complete requests: +(\d+)/m) ?? 0) - bad, task, {
    ...(responseBytes && { responseBytes }),
    ...(requestBytes && { requestBytes }),
  });
}

function ab(name: string, requests: readonly Request[], ...options: readonly string[]): ClientDescription {
  return {
    name,
    canTls: true,
    needs: requests[0]!.bodyBytes === undefined ? [] : ["upload"],
    requests: () => requests,
    // -l: a length that changes is no failure.
    command: ({ base }) => ["ab", "-l", "-n", `${requests.length}`, ...options, base + requests[0]!.uri],
    files: () => ({ body: "x".repeat(requests[0]!.bodyBytes ?? 0) }),
    account: abAccount,
  };
}

export const abClose = ab("ab", same(1009, page), "-c", "11");
export const abKeepAlive = ab("ab -k", same(2003, page), "-k", "-c", "7");
export const abUpload = ab("ab -k -p", same(503, upload), "-k", "-c", "5", "-p", "body", "-T", "text/plain");

/**
 * One connection a thread: a thread that stops at its last answer has then no request under way. The last one to stop
 * interrupts wrk, which would else sleep until the end of its time, as it does if it was not asleep yet.
 */
function wrk(name: string, batches: number, depth: number): ClientDescription {
  const threads = 2;
  const requests = same(threads * batches * depth, { method: "GET", uri: "/small.txt", status: 200 });
  return {
    name,
    canTls: true,
    needs: depth > 1 ? ["pipelining"] : [],
    isPipelining: depth > 1,
    requests: () => requests,
    command: ({ base }) => ["wrk", "-t", `${threads}`, "-c", `${threads}`, "-d", "30", "-s", "wrk.lua", base],
    files: () => ({
      "wrk.lua": `
local ffi = require("ffi")
ffi.cdef("int kill(int, int); int getpid(void); int usleep(unsigned);")
local batch, left
function init()
  batch, left = string.rep(wrk.format("GET", "/small.txt"), ${depth}), ${batches * depth}
end
function request()
  return batch
end
function response(status)
  left = left - 1
  if status ~= 200 then print("status " .. status) end
  if left == 0 then
    wrk.thread:stop()
    local file = io.open("done", "a+")
    file:write(".")
    file:seek("set")
    if #file:read("*a") == ${threads} then
      ffi.C.kill(ffi.C.getpid(), 2)
      ffi.C.usleep(500000) -- on a busy machine the first may have come before the sleep
      ffi.C.kill(ffi.C.getpid(), 2)
    end
  end
end
function done(summary)
  print("done " .. summary.requests .. " " .. summary.bytes)
end
`,
    }),
    account: ({ lines }, task) => {
      const [, done, bytes] = /^done (\d+) (\d+)$/m.exec(lines.join("\n")) ?? [];
      const bad = lines.filter((line) => line.startsWith("status ")).length;
      return accountOfCount(Number(done) - bad, task, { responseBytes: Number(bytes) });
    },
  };
}

export const wrkPlain = wrk("wrk", 503, 1);
export const wrkPipelining = wrk("wrk, pipelining seven", 71, 7);

export const h2load: ClientDescription = {
  name: "h2load --h1",
  canTls: true,
  requests: (abilities) => work({ count: 499, abilities, isWanted: isPlainGet }),
  command: ({ requests, base }) => ["h2load", "--h1", "-n", `${requests.length}`, "-c", "1", "-i", "uris", base],
  files: ({ requests, base }) => ({ uris: uriList(requests, base) }),
  account: ({ lines }, task) => {
    const text = lines.join("\n");
    const [total = 0, data = 0] = [/^traffic: \S+ \((\d+)\) total/m, /\((\d+)\) data$/m].map((p) =>
      numberAfter(text, p),
    );
    // 1.52 does not count all that it reads from a connection that the server closes: less in all than of bodies.
    const responseBytes = total > data ? total : undefined;
    const done = numberAfter(text, /^requests: .* (\d+) done/m) ?? 0;
    return accountOfCount(done, task, responseBytes ? { responseBytes } : {});
  },
};

export const siege: ClientDescription = {
  name: "siege",
  canTls: true,
  requests: (abilities) => {
    const list = work({ count: 151, abilities, isWanted: isPlainGet });
    return [...list, ...list, ...list];
  },
  // Each of three users goes through the whole list. (With keep-alive, siege 4.0.7 loses its way after a chunked body.)
  command: ({ requests }) => ["siege", "-R", "rc", "-f", "uris", "-c", "3", "-r", `${requests.length / 3}`, "-b", "-v"],
  files: ({ requests, base }) => ({
    rc: "color = off\nparser = false\ncache = false\nconnection = close\nlogging = false\njson_output = false\n",
    uris: uriList(requests.slice(0, requests.length / 3), base),
  }),
  account: ({ lines }) => ({
    exchanges: lines.flatMap((line) => {
      const [, status, method, uri] = /^HTTP\/1\.\d +(\d+) .*==> (\S+) +(\S+)/.exec(line) ?? [];
      return method && uri ? [exchange(method, uri, Number(status))] : [];
    }),
  }),
};

function isPlainGet({ method, headers }: Request): boolean {
  return method === "GET" && headers === undefined;
}

function uriList(requests: readonly Request[], base: string): string {
  return requests.map(({ uri }) => `${base}${uri}\n`).join("");
}

export const curl: ClientDescription = {
  name: "curl",
  canTls: true,
  requests: (abilities) => work({ count: 67, abilities }),
  command: () => ["curl", "--silent", "--show-error", "--config", "curlrc"],
  files: (task) => ({ curlrc: curlConfig(task), "body.bin": "x".repeat(200_000) }),
  account: curlAccount,
};

/** Debian's is built with GnuTLS. It says of each body how long it is. */
export const wget: ClientDescription = {
  name: "wget",
  canTls: true,
  requests: (abilities) => work({ count: 67, abilities, isWanted: (one) => isPlainGet(one) && one.status === 200 }),
  command: () => ["wget", "-nv", "--no-check-certificate", "-O", "/dev/null", "-i", "uris"],
  files: ({ requests, base }) => ({ uris: uriList(requests, base) }),
  account: ({ stderr }) => ({
    exchanges: [...stderr.matchAll(/ URL:\s?https?:\/\/[^/]+(\S+) \[/g)].map(([, uri]) => exchange("GET", uri!, 200)),
  }),
};

export const curlExpect: ClientDescription = {
  ...curl,
  name: "curl, Expect: 100-continue",
  needs: ["upload", "continue"],
  hasInterim: true,
  requests: (abilities) =>
    work({ count: 43, abilities, isWanted: ({ bodyBytes }) => (bodyBytes ?? 0) > 0 }).map((request) => ({
      ...request,
      headers: { expect: "100-continue" },
    })),
};

export const curlResume: ClientDescription = {
  ...curl,
  name: "curl -C -, resumed downloads",
  needs: ["range"],
  requests: () => Array.from({ length: 29 }, (_, n) => ({ method: "GET", uri: `/large.bin?n=${n}`, status: 206 })),
  files: (task) => ({
    curlrc: resumingConfig(task),
    ...Object.fromEntries(task.requests.map((_, n) => [`part-${n}`, "x".repeat(10_007 * n + 1)])),
  }),
};
