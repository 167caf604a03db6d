import type { ServerDescription } from "../server.ts";
import { apache, apacheProxy, apacheTls } from "./apache.ts";
import { caddy, caddyTls, lighttpd } from "./files.ts";
import { nginx, nginxGunicorn, nginxProxy, nginxTls12, nginxTls13, nginxTlsProxy, nginxUnbuffered } from "./nginx.ts";
import {
  go,
  goStrippedTls,
  goTls,
  gunicorn,
  gunicornThreads,
  gunicornTls,
  java,
  node,
  nodeTls,
  pythonHttpServer,
  uvicorn,
  uvicornTls,
} from "./programs.ts";
import { haproxy, haproxyTls, squid, varnish } from "./proxies.ts";

export const servers: readonly ServerDescription[] = [
  ...[nginx, nginxProxy, nginxUnbuffered, nginxGunicorn],
  ...[apache, apacheProxy],
  ...[haproxy, lighttpd, caddy],
  ...[node, go, java],
  ...[pythonHttpServer, gunicorn, gunicornThreads, uvicorn],
  ...[varnish, squid],
  ...[nginxTls12, nginxTls13, nginxTlsProxy, apacheTls, haproxyTls, nodeTls, gunicornTls, uvicornTls],
  ...[goTls, goStrippedTls, caddyTls],
];
