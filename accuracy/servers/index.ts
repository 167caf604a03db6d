import type { ServerDescription } from "../server.ts";
import { apache, apacheProxy } from "./apache.ts";
import { caddy, lighttpd } from "./files.ts";
import { nginx, nginxGunicorn, nginxProxy, nginxUnbuffered } from "./nginx.ts";
import { go, gunicorn, gunicornThreads, java, node, pythonHttpServer, uvicorn } from "./programs.ts";
import { haproxy, squid, varnish } from "./proxies.ts";

export const servers: readonly ServerDescription[] = [
  ...[nginx, nginxProxy, nginxUnbuffered, nginxGunicorn],
  ...[apache, apacheProxy],
  ...[haproxy, lighttpd, caddy],
  ...[node, go, java],
  ...[pythonHttpServer, gunicorn, gunicornThreads, uvicorn],
  ...[varnish, squid],
];
