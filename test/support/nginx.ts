import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { accessLogFormat } from "./access-log.ts";
import { canConnect } from "./can-connect.ts";
import type { Certificate } from "./certificate.ts";
import { type Child, startChild } from "./child.ts";
import { freePort } from "./free-port.ts";
import { temporaryDirectory } from "./paths.ts";
import { until } from "./until.ts";

export interface Nginx extends Child {
  readonly port: number;
  /** The access log as text once it has this many lines; nginx writes a line after the response has gone out. */
  readonly accessLog: (lines: number) => Promise<string>;
}

export interface NginxOptions {
  /** `location` blocks and the like. */
  readonly server?: string;
  readonly log?: boolean;
  /** What it listens on, with the same port; the kernel spreads connections over the workers. */
  readonly addresses?: readonly string[];
  /** Of each worker. */
  readonly connections?: number;
  /** HTTPS with this certificate, and these of its `ssl_protocols`. */
  readonly tls?: { readonly certificate: Certificate; readonly protocols: string };
  /** Files below the document root, by name. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
}

/** A master and two workers on a free port. */
export async function startNginx(options: NginxOptions = {}): Promise<Nginx> {
  const directory = temporaryDirectory();
  const port = await freePort();
  const logFile = join(directory, "access.log");
  const configFile = join(directory, "nginx.conf");
  mkdirSync(join(directory, "root"));
  for (const [name, content] of Object.entries(options.files ?? {}))
    writeFileSync(join(directory, "root", name), content);
  writeFileSync(configFile, config(directory, port, options));

  const child = startChild("nginx", ["-p", directory, "-c", configFile, "-e", join(directory, "error.log")]);
  await until("nginx listens", async () => {
    if (!child.isRunning()) throw new Error(`nginx did not start: ${child.stderr()}`);
    return canConnect(port);
  });
  return {
    ...child,
    port,
    accessLog: (lines) =>
      until(`${lines} lines in the access log`, () => {
        const text = readFileSync(logFile, "utf8");
        return text.split("\n").length > lines && text;
      }),
  };
}

function config(directory: string, port: number, options: NginxOptions): string {
  const { server = "", log = true, addresses = ["127.0.0.1"], connections = 1024, tls } = options;
  const secure =
    tls &&
    `ssl_certificate ${tls.certificate.cert}; ssl_certificate_key ${tls.certificate.key}; ssl_protocols ${tls.protocols};`;
  return `
user root;
daemon off;
worker_processes 2;
pid nginx.pid;
events { worker_connections ${connections}; }
http {
  log_format tally '${accessLogFormat}';
  access_log ${log ? `${directory}/access.log tally` : "off"};
  error_log ${directory}/error.log;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  keepalive_requests 1000000;
  sendfile on;
  if_modified_since before;
  tcp_nopush on;
  types { text/plain txt; }
  default_type application/octet-stream;
  client_max_body_size 100m;
  server {
    ${addresses.map((address) => `listen ${address}:${port} reuseport${tls ? " ssl" : ""};`).join(" ")}
    ${secure ?? ""}
    root ${directory}/root;
    location = /hello { return 200 "Hello from this nginx.\\n\\n"; }
    ${server}
  }
}
`;
}
