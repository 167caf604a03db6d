import type { Place, ServerDescription } from "../server.ts";
import { gunicornOnUnixSocket, node } from "./programs.ts";

const log = { from: { file: "access.log" }, msPerUnit: 1000, resolutionMs: 1, countsInterim: true } as const;

/** nginx counts the duration in seconds to three places. */
const logFormat = [
  "$request_method",
  "$request_uri",
  "$status",
  "$request_length",
  "$bytes_sent",
  "$request_time",
].join("\\t");

function command({ directory }: Place): readonly string[] {
  return ["nginx", "-p", directory, "-c", `${directory}/nginx.conf`, "-e", `${directory}/error.log`];
}

function config(locations: (place: Place) => string, http = "", tls = "") {
  return (place: Place) => ({
    "nginx.conf": `
user root;
daemon off;
worker_processes 2;
pid nginx.pid;
error_log error.log;
events { worker_connections 1024; }
http {
  log_format tally '${logFormat}';
  access_log access.log tally;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${name};`).join(" ")}
  keepalive_requests 1000000;
  client_max_body_size 100m;
  types { text/html html; text/plain txt; }
  ${http}
  server {
    listen 127.0.0.1:${place.port}${tls ? " ssl" : ""};
    ${tls ? `ssl_certificate cert.pem; ssl_certificate_key key.pem; ssl_protocols ${tls};` : ""}
    ${tls ? "ssl_session_cache shared:sessions:1m;" : ""}
    root ${place.directory};
    ${locations(place)}
  }
}
`,
  });
}

const ofFiles =
  "sendfile on; tcp_nopush on; if_modified_since before; gzip on; gzip_types text/html; gzip_min_length 100;";

export const nginx: ServerDescription = {
  name: "nginx",
  abilities: ["range", "unsatisfiable range", "conditional", "gzip", "keep-alive", "pipelining", "half-close"],
  command,
  files: config(() => "", ofFiles),
  log,
};

export const nginxTls12: ServerDescription = {
  ...nginx,
  name: "nginx, HTTPS (TLS 1.2)",
  abilities: [...nginx.abilities, "resumption"],
  isTls: true,
  files: config(() => "", ofFiles, "TLSv1.2"),
};

export const nginxTls13: ServerDescription = {
  ...nginx,
  name: "nginx, HTTPS (TLS 1.3)",
  abilities: [...nginx.abilities, "resumption"],
  isTls: true,
  files: config(() => "", ofFiles, "TLSv1.3"),
};

function toNode({ origin }: Place): string {
  return `
    location / {
      proxy_pass http://127.0.0.1:${origin!.port};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }`;
}

export const nginxProxy: ServerDescription = {
  name: "nginx, proxy to Node",
  abilities: ["upload", "gzip", "chunked", "delay", "continue", "keep-alive", "pipelining"],
  command,
  files: config(toNode),
  origin: node,
  log,
};

export const nginxTlsProxy: ServerDescription = {
  ...nginxProxy,
  name: "nginx, HTTPS, proxy to Node",
  isTls: true,
  files: config(toNode, "", "TLSv1.2 TLSv1.3"),
};

export const nginxUnbuffered: ServerDescription = {
  ...nginxProxy,
  name: "nginx, unbuffered proxy to Node",
  files: config(
    ({ origin }) => `
    location / {
      proxy_pass http://127.0.0.1:${origin!.port};
      proxy_http_version 1.0;
      proxy_buffering off;
      proxy_request_buffering off;
    }`,
  ),
};

export const nginxGunicorn: ServerDescription = {
  name: "nginx, proxy to gunicorn on a unix socket",
  abilities: ["upload", "chunked", "delay", "continue", "keep-alive", "pipelining"],
  command,
  files: config(({ origin }) => `location / { proxy_pass http://unix:${origin!.directory}/http.sock; }`),
  origin: gunicornOnUnixSocket,
  log,
};
