import { inRepo } from "../../test/support/paths.ts";
import { exchangeOfLine } from "../account.ts";
import type { Place, ServerDescription } from "../server.ts";
import { apache } from "./apache.ts";
import { nginx } from "./nginx.ts";
import { go } from "./programs.ts";

function haproxyConfig({ bind = "", splice = "" }: { readonly bind?: string; readonly splice?: string }) {
  return ({ port, origin }: Place) => ({
    "haproxy.cfg": `
global
  nbthread 2
  log 127.0.0.1:${port} format raw local0
defaults
  mode http
  log global
  option http-ignore-probes
  log-format "%HM\\t%HU\\t%ST\\t-\\t-\\t%Ta"
  ${splice}
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:${port} ${bind}
  default_backend back
backend back
  server origin 127.0.0.1:${origin!.port}
`,
  });
}

/**
 * Without answers to connections that end before they ask: ab opens some at the end. It logs to a socket: of two threads
 * that write a line to a file at once, one gives up after a moment and drops its line.
 */
export const haproxy: ServerDescription = {
  name: "HAProxy, splice, to nginx",
  abilities: ["range", "unsatisfiable range", "conditional", "gzip", "keep-alive", "pipelining"],
  command: () => ["haproxy", "-db", "-f", "haproxy.cfg"],
  files: haproxyConfig({ splice: "option splice-auto\n  option splice-request\n  option splice-response" }),
  origin: nginx,
  log: {
    from: { command: ({ port }) => ["/usr/bin/python3", "-u", inRepo("accuracy/programs/datagrams.py"), `${port}`] },
    isReading: (reader) => reader.line(/^ready$/),
    msPerUnit: 1,
  },
};

export const haproxyTls: ServerDescription = {
  ...haproxy,
  name: "HAProxy, HTTPS, to nginx",
  abilities: [...haproxy.abilities, "resumption"],
  isTls: true,
  files: haproxyConfig({ bind: "ssl crt both.pem" }),
};

/** Without gzip: what it unpacks it sends in chunks, whose framing it does not count. */
export const varnish: ServerDescription = {
  name: "Varnish, before Apache httpd",
  abilities: ["range", "unsatisfiable range", "conditional", "keep-alive", "pipelining"],
  command: ({ directory, port, origin }) => [
    ...["varnishd", "-F", "-n", directory, "-a", `127.0.0.1:${port}`, "-b", `127.0.0.1:${origin!.port}`],
    ...["-s", "malloc,64m", "-T", "none", "-j", "none", "-p", "http_gzip_support=off", "-p", "timeout_idle=60"],
  ],
  origin: apache,
  isCache: true,
  log: {
    from: {
      command: ({ directory }) => ["varnishncsa", "-n", directory, "-F", "%m\\t%U%q\\t%s\\t%I\\t%O\\t%D"],
    },
    msPerUnit: 0.001,
  },
};

export const squid: ServerDescription = {
  name: "squid, before Go",
  abilities: ["range", "conditional", "keep-alive", "pipelining"],
  // It does not run as root, and its shared memory has the name of its service.
  command: ({ port }) => ["sh", "-c", `chown -R proxy . && exec squid -N -n accuracy${port} -f squid.conf`],
  files: ({ directory, port, origin }) => ({
    "squid.conf": `
http_port 127.0.0.1:${port} accel defaultsite=localhost no-vhost
cache_peer 127.0.0.1 parent ${origin!.port} 0 no-query no-digest no-netdb-exchange originserver
http_access allow all
never_direct allow all
cache_effective_user proxy
pid_filename none
coredump_dir ${directory}
cache_log ${directory}/cache.log
logformat tally %rm %rp %>Hs %>st %<st %tr
access_log stdio:${directory}/access.log logformat=tally
pinger_enable off
netdb_filename none
shutdown_lifetime 0 seconds
strip_query_terms off
`,
  }),
  origin: go,
  isCache: true,
  log: {
    from: { file: "access.log" },
    msPerUnit: 1,
    /** A connection on which nobody asked for anything has a line, too. */
    parse: (line) => (line.startsWith("- ") ? null : exchangeOfLine(line.replaceAll(" ", "\t"), 1)),
  },
};
