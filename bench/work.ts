import { Agent, get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { createCertificate } from "../test/support/certificate.ts";
import { runChild } from "../test/support/child.ts";
import { type Nginx, startNginx } from "../test/support/nginx.ts";

export interface Load {
  readonly exchanges: number;
  readonly requestsPerSecond: number;
}

/** nginx with two workers that answers 24 bytes and writes no log. */
export function startTarget(): Promise<Nginx> {
  return startNginx({ log: false });
}

export type Protocol = "http" | "https";

/** The same over HTTPS (TLS 1.3). */
export function startSecureTarget(): Promise<Nginx> {
  return startNginx({ log: false, tls: { certificate: createCertificate(), protocols: "TLSv1.3" } });
}

/** The known work: keep-alive GETs over 16 connections as fast as they go. */
export async function runLoad(nginx: Nginx, exchanges: number, protocol: Protocol = "http"): Promise<Load> {
  const url = `${protocol}://127.0.0.1:${nginx.port}/hello`;
  const { stdout } = await runChild("ab", ["-q", "-k", "-c", "16", "-n", `${exchanges}`, url]);
  const [, complete] = /Complete requests: +(\d+)/.exec(stdout) ?? [];
  const [, rate] = /Requests per second: +([\d.]+)/.exec(stdout) ?? [];
  if (Number(complete) !== exchanges) throw new Error(`ab did not complete its requests:\n${stdout}`);
  return { exchanges, requestsPerSecond: Number(rate) };
}

/** Fifty requests a second, one after the other on one connection, for `ms`. */
export async function runLightLoad(nginx: Nginx, ms: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (const end = performance.now() + ms; performance.now() < end; await sleep(20)) {
    await new Promise<void>((resolve, reject) => {
      get({ agent, host: "127.0.0.1", port: nginx.port, path: "/hello" }, (response) =>
        response.resume().on("end", resolve),
      ).on("error", reject);
    });
  }
  agent.destroy();
}
