import type { Place, ServerDescription } from "../server.ts";
import { go } from "./programs.ts";

/**
 * Without %I: after an answer httpd peeks at one byte of the next request to see whether more is waiting (check_pipeline),
 * and mod_logio counts that byte once more when it is read.
 */
const log = { from: { file: "access.log" }, msPerUnit: 0.001, countsInterim: true } as const;

function config(modules: readonly string[], rest: (place: Place) => string) {
  const all = ["mpm_event", "authz_core", "mime", ...modules];
  return (place: Place) => ({
    "mime.types": "text/html html\ntext/plain txt\n",
    "httpd.conf": `
${all.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
ServerRoot ${place.directory}
ServerName localhost
Listen 127.0.0.1:${place.port}
PidFile ${place.directory}/httpd.pid
DefaultRuntimeDir ${place.directory}
TypesConfig mime.types
ErrorLog error.log
LogFormat "%m\\t%U%q\\t%>s\\t-\\t%O\\t%D" tally
CustomLog access.log tally
DocumentRoot ${place.directory}
StartServers 2
ThreadsPerChild 16
MaxKeepAliveRequests 0
KeepAliveTimeout 30
EnableSendfile On
${rest(place)}
`,
  });
}

function command({ directory }: Place): readonly string[] {
  return ["apache2", "-d", directory, "-f", "httpd.conf", "-D", "FOREGROUND"];
}

export const apache: ServerDescription = {
  name: "Apache httpd",
  abilities: ["range", "unsatisfiable range", "conditional", "gzip", "keep-alive", "pipelining"],
  command,
  files: config(["deflate", "filter"], () => "AddOutputFilterByType DEFLATE text/html"),
  log,
};

/** mod_logio counts what goes over the socket: the ciphertext. */
export const apacheTls: ServerDescription = {
  ...apache,
  name: "Apache httpd, HTTPS",
  abilities: [...apache.abilities, "resumption"],
  isTls: true,
  files: config(
    ["deflate", "filter", "socache_shmcb", "ssl"],
    () => `
AddOutputFilterByType DEFLATE text/html
SSLEngine on
SSLCertificateFile cert.pem
SSLCertificateKeyFile key.pem
SSLSessionCache shmcb:sessions(512000)
CustomLog tls.log "%m\\t%U%q\\t%>s\\t-\\t-\\t%D"
`,
  ),
  log: { ...log, from: { file: "tls.log" } },
};

export const apacheProxy: ServerDescription = {
  name: "Apache httpd, mod_proxy to Go",
  abilities: [
    "upload",
    "range",
    "unsatisfiable range",
    "conditional",
    "chunked",
    "delay",
    "continue",
    "keep-alive",
    "pipelining",
  ],
  command,
  files: config(["proxy", "proxy_http"], ({ origin }) => `ProxyPass "/" "http://127.0.0.1:${origin!.port}/"`),
  origin: go,
  log,
};
