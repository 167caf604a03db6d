import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Child, startChild } from "./child.ts";
import { connectNamespaces, createNamespace, type Namespace, runIn } from "./network.ts";
import { inRepo, temporaryDirectory } from "./paths.ts";
import { until } from "./until.ts";

/**
 * Pods as network namespaces on one bridge:
 *
 *   client → haproxy → node ──┐
 *          → nginx → python ──┴→ node (the third)
 */
export interface Mesh {
  readonly pids: readonly number[];
  readonly haproxy: number;
  /** The path and the milliseconds of each request, as the proxy's own log has them. */
  readonly haproxyLog: () => readonly LogLine[];
  readonly nginxLog: () => readonly LogLine[];
  /** Sends one request after the other, `/?n=0` and so on; `to` is the pod with that proxy. */
  readonly ask: (to: "haproxy" | "nginx", count: number) => Promise<void>;
}

export interface LogLine {
  readonly uri: string;
  /** From the request's first byte to the response's last. */
  readonly totalMs: number;
  /** As the service behind it took. */
  readonly upstreamMs: number;
}

const A = "10.79.0.1";
const B = "10.79.0.2";
const C = "10.79.0.3";

export async function startMesh(): Promise<Mesh> {
  const directory = temporaryDirectory();
  const [podA, podB, podC, outside] = connectPods([A, B, C, "10.79.0.10"]) as [
    Namespace,
    Namespace,
    Namespace,
    Namespace,
  ];
  const node = inRepo("test/servers/mesh-service.js");
  const python = inRepo("test/servers/mesh-service.py");
  await startReady(podC, "node", [node, C, "80", "5"]);
  await Promise.all([
    startReady(podA, "node", [node, "127.0.0.1", "8080", "10", `http://${C}/from-node`, "1"]),
    startReady(podB, "python3", [python, "127.0.0.1", "8080", "15", C, "2"]),
  ]);
  const haproxy = startHaproxy(podA, directory);
  startNginx(podB, directory);
  const client = await startReady(outside, "node", [inRepo("test/servers/mesh-client.js")]);
  await untilListening(podA);
  await untilListening(podB);
  const pids = [podA, podB, podC, outside].flatMap(pidsIn);
  return {
    pids,
    haproxy: pidsIn(podA).find((pid) => readFileSync(`/proc/${pid}/comm`, "utf8") === "haproxy\n")!,
    haproxyLog: () => parseLog(haproxy.stdoutLines),
    nginxLog: () => parseLog(readFileSync(join(directory, "access.log"), "utf8").split("\n")),
    ask: async (to, count) => {
      await client.ask(`${to === "haproxy" ? A : B} ${count}`, /^done/);
    },
  };
}

function connectPods(addresses: readonly string[]): Namespace[] {
  const hub = createNamespace();
  runIn(hub, "ip", "link", "add", "bridge", "type", "bridge");
  runIn(hub, "ip", "link", "set", "bridge", "up");
  return addresses.map((address) => {
    const pod = createNamespace();
    const [, inHub] = connectNamespaces(
      { namespace: pod, address: `${address}/24` },
      { namespace: hub, address: "0.0.0.0/32" },
    );
    runIn(hub, "ip", "link", "set", inHub, "master", "bridge");
    return pod;
  });
}

async function startReady(pod: Namespace, command: string, args: readonly string[]): Promise<Child> {
  const child = startChild(...pod.run(command, args));
  await child.line(/^ready/);
  return child;
}

function startHaproxy(pod: Namespace, directory: string): Child {
  const config = join(directory, "haproxy.cfg");
  writeFileSync(
    config,
    `global
  log stdout format raw local0
  nbthread 1
defaults
  mode http
  log global
  log-format "%HU %Ta %Tr"
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend in
  bind ${A}:80
  default_backend service
backend service
  server node 127.0.0.1:8080
`,
  );
  return startChild(...pod.run("haproxy", ["-db", "-f", config]));
}

function startNginx(pod: Namespace, directory: string): Child {
  const config = join(directory, "nginx.conf");
  writeFileSync(
    config,
    `user root;
daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log;
events {}
http {
  log_format times '$request_uri $request_time $upstream_response_time s';
  access_log ${directory}/access.log times;
  proxy_temp_path ${directory}/proxy;
  client_body_temp_path ${directory}/body;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  upstream service { server 127.0.0.1:8080; keepalive 4; }
  server {
    listen ${B}:80;
    location / { proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`,
  );
  return startChild(...pod.run("nginx", ["-p", directory, "-c", config, "-e", join(directory, "error.log")]));
}

function untilListening(pod: Namespace): Promise<unknown> {
  return until("the proxy listens", () => /:80\s/.test(runIn(pod, "ss", "-Hltn")));
}

function pidsIn(pod: Namespace): number[] {
  return execFileSync("ip", ["netns", "pids", pod.name], { encoding: "utf8" }).trim().split("\n").map(Number);
}

/** HAProxy logs milliseconds, nginx seconds. */
function parseLog(lines: readonly string[]): LogLine[] {
  return lines.flatMap((line) => {
    const [, uri, total, upstream, seconds] = /(\/\S*) ([\d.]+) ([\d.]+)( s)?$/.exec(line) ?? [];
    const factor = seconds === undefined ? 1 : 1000;
    return uri === undefined ? [] : [{ uri, totalMs: Number(total) * factor, upstreamMs: Number(upstream) * factor }];
  });
}
