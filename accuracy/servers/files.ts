/** Servers of files. */
import { exchange, exchangeOfLine } from "../account.ts";
import type { ServerDescription } from "../server.ts";

export const lighttpd: ServerDescription = {
  name: "lighttpd",
  abilities: ["range", "unsatisfiable range", "conditional", "keep-alive", "pipelining"],
  command: () => ["lighttpd", "-D", "-f", "lighttpd.conf"],
  files: ({ directory, port }) => ({
    "lighttpd.conf": `
server.modules = ("mod_accesslog")
server.document-root = "${directory}"
server.bind = "127.0.0.1"
server.port = ${port}
server.errorlog = "${directory}/error.log"
server.max-keep-alive-requests = 1000000
server.max-keep-alive-idle = 60
accesslog.filename = "${directory}/access.log"
accesslog.format = "%m\\t%U?%q\\t%s\\t%I\\t%O\\t%{us}T"
mimetype.assign = (".html" => "text/html", ".txt" => "text/plain")
`,
  }),
  log: {
    from: { file: "access.log" },
    msPerUnit: 0.001,
    parse: (line) => exchangeOfLine(line.replace("?\t", "\t"), 0.001),
  },
};

const caddyConfiguration = (directory: string, site: string, more: string) => `
{
  admin off
  auto_https off
  default_sni localhost
  servers {
    protocols h1
  }
}
${site} {
  bind 127.0.0.1
  ${more}
  root * ${directory}
  encode gzip
  respond /upload "stored" 200
  file_server
  log {
    output file ${directory}/access.log
    format json
  }
}
`;

export const caddy: ServerDescription = {
  name: "Caddy",
  abilities: ["range", "unsatisfiable range", "conditional", "gzip", "upload", "keep-alive", "pipelining"],
  command: () => ["caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile"],
  env: ({ directory }) => ({ HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory }),
  files: ({ directory, port }) => ({ Caddyfile: caddyConfiguration(directory, `http://:${port}`, "") }),
  log: {
    from: { file: "access.log" },
    msPerUnit: 0.001,
    parse: (line) => {
      const { request, status, duration } = JSON.parse(line);
      return exchange(request.method, request.uri, status, { durationMs: duration * 1000 });
    },
  },
};

export const caddyTls: ServerDescription = {
  ...caddy,
  name: "Caddy, HTTPS",
  isTls: true,
  files: ({ directory, port }) => ({
    Caddyfile: caddyConfiguration(directory, `https://:${port}`, `tls ${directory}/cert.pem ${directory}/key.pem`),
  }),
};
