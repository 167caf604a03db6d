/** Names of addresses: from /etc/hosts at once, from the DNS when it answers. Nobody waits for it. */

import { Resolver } from "node:dns/promises";
import { readFileSync } from "node:fs";

const MAX_NAMES = 10_000;
const MAX_UNDER_WAY = 16;

export class AddressNames {
  private readonly names = new Map<string, string | null>();
  private readonly resolver: Resolver | null;
  private readonly wanted: string[] = [];
  private underWay = 0;

  /** `asksDns`: `--resolve`. `servers`: others than the system's, with their ports. */
  constructor(asksDns: boolean, servers?: readonly string[]) {
    this.resolver = asksDns ? new Resolver({ timeout: 2000, tries: 2 }) : null;
    if (servers !== undefined) this.resolver?.setServers(servers);
    for (const [address, name] of hostsFile()) this.names.set(address, name);
  }

  /** Null as long as it is not known. Asking the first time is what starts the search. */
  of(address: string): string | null {
    const known = this.names.get(address);
    if (known !== undefined) return known;
    if (this.resolver === null || this.names.size >= MAX_NAMES) return null;
    this.names.set(address, null);
    this.wanted.push(address);
    this.askNext();
    return null;
  }

  close(): void {
    this.wanted.length = 0;
    this.resolver?.cancel();
  }

  private askNext(): void {
    const address = this.underWay < MAX_UNDER_WAY ? this.wanted.shift() : undefined;
    if (address === undefined) return;
    this.underWay++;
    this.resolver!.reverse(address)
      .then(([name]) => this.names.set(address, name ?? null))
      .catch(() => {}) // it has no name, or the server does not answer
      .finally(() => {
        this.underWay--;
        this.askNext();
      });
  }
}

/** hosts(5); loopback's names are everybody's, and tell nothing. */
function hostsFile(): [address: string, name: string][] {
  try {
    return readFileSync("/etc/hosts", "utf8").split("\n").flatMap(entryOf);
  } catch {
    return [];
  }
}

function entryOf(line: string): [address: string, name: string][] {
  const [address, name] = line.replace(/#.*/, "").trim().split(/\s+/);
  return address && name && !address.startsWith("127.") && address !== "::1" ? [[address, name]] : [];
}
