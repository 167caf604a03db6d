/** What clients ask for: known work, a prime number of requests, each with a URI of its own where the client can. */
import { type Account, exchange } from "./account.ts";

/** What a server or its description can do beyond files. */
export type Ability =
  | "upload"
  | "range"
  | "unsatisfiable range"
  | "conditional"
  | "gzip"
  | "chunked"
  | "delay"
  | "continue"
  | "pipelining"
  /** Of connections, as long as the client likes. */
  | "keep-alive"
  /** Of TLS sessions, on another connection. */
  | "resumption"
  /** It answers a client that has ended its own direction. */
  | "half-close";

/** The files that every server offers. */
export const files: Readonly<Record<string, Buffer>> = {
  "small.txt": Buffer.from("A small file, 31 bytes of text.\n"),
  "empty.txt": Buffer.alloc(0),
  "page.html": Buffer.from("<p>A line of a page that compresses well.</p>\n".repeat(223)),
  "large.bin": Buffer.alloc(300_007, "0123456789abcdef"),
};

/** Of clients that can have several. */
export const CONNECTIONS = 5;

export interface Request {
  readonly method: string;
  readonly uri: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Size of the body to send; absent: none. */
  readonly bodyBytes?: number;
  /** The body goes without its length, in chunks. */
  readonly isChunked?: boolean;
  /** What the server must answer. */
  readonly status: number;
}

interface Form extends Request {
  readonly needs?: Ability;
}

export const filesWritten = new Date(Date.UTC(2020, 0, 1));
const later = new Date(Date.UTC(2020, 0, 2)).toUTCString();

const forms: readonly Form[] = [
  { method: "GET", uri: "/small.txt", status: 200 },
  { method: "GET", uri: "/page.html", status: 200 },
  { method: "HEAD", uri: "/page.html", status: 200 },
  { method: "GET", uri: "/missing", status: 404 },
  { method: "GET", uri: "/empty.txt", status: 200 },
  { method: "POST", uri: "/upload", bodyBytes: 907, status: 200, needs: "upload" },
  { method: "GET", uri: "/page.html", headers: { "accept-encoding": "gzip" }, status: 200, needs: "gzip" },
  { method: "GET", uri: "/small.txt", headers: { range: "bytes=2-5" }, status: 206, needs: "range" },
  { method: "GET", uri: "/chunked", status: 200, needs: "chunked" },
  { method: "PUT", uri: "/upload", bodyBytes: 100_003, status: 200, needs: "upload" },
  { method: "GET", uri: "/small.txt", headers: { range: "bytes=90000-" }, status: 416, needs: "unsatisfiable range" },
  { method: "GET", uri: "/large.bin", status: 200 },
  { method: "POST", uri: "/upload", bodyBytes: 70_001, isChunked: true, status: 200, needs: "upload" },
  { method: "GET", uri: "/delay", status: 200, needs: "delay" },
  { method: "GET", uri: "/large.bin", headers: { range: "bytes=7-200006" }, status: 206, needs: "range" },
  { method: "GET", uri: "/small.txt", headers: { "if-modified-since": later }, status: 304, needs: "conditional" },
  { method: "HEAD", uri: "/missing", status: 404 },
  { method: "POST", uri: "/upload", bodyBytes: 0, status: 200, needs: "upload" },
];

export interface WorkOptions {
  readonly count: number;
  readonly abilities: readonly Ability[];
  readonly isWanted?: (request: Request) => boolean;
}

/** `count` requests, all that the server can answer, in turn. */
export function work({ count, abilities, isWanted = () => true }: WorkOptions): readonly Request[] {
  const usable = forms.filter((form) => (form.needs ? abilities.includes(form.needs) : true) && isWanted(form));
  return Array.from({ length: count }, (_, i) => {
    const { needs: _needs, ...request } = usable[i % usable.length]!;
    return { ...request, uri: `${request.uri}?n=${i}` };
  });
}

export function accountOfWork(requests: readonly Request[]): Account {
  return { by: "the work", exchanges: requests.map(({ method, uri, status }) => exchange(method, uri, status)) };
}
