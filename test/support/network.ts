import { execFileSync } from "node:child_process";
import { onCleanup } from "./cleanup.ts";

/** A network namespace of the test's own, with its own loopback; `run` gives the words that start a program in it. */
export interface Namespace {
  readonly name: string;
  readonly run: (command: string, args?: readonly string[]) => readonly [command: string, args: readonly string[]];
}

let created = 0;

/** Gone after the test, with the links into it. */
export function createNamespace(): Namespace {
  const name = `l7p-${process.pid}-${created++}`;
  ip("netns", "add", name);
  onCleanup(() => ip("netns", "delete", name));
  ip("-n", name, "link", "set", "lo", "up");
  return { name, run: (command, args = []) => ["ip", ["netns", "exec", name, command, ...args]] };
}

export interface End {
  readonly namespace: Namespace;
  /** As `10.1.0.1/24`. */
  readonly address: string;
}

/** A cable between two namespaces; answers the names of its two ends. */
export function connectNamespaces(left: End, right: End): readonly [left: string, right: string] {
  const names = [`l7p${process.pid}a${created}`, `l7p${process.pid}b${created++}`] as const;
  const [l, r] = names;
  ip("link", "add", l, "netns", left.namespace.name, "type", "veth", "peer", "name", r, "netns", right.namespace.name);
  for (const [end, link] of [[left, l] as const, [right, r] as const]) {
    ip("-n", end.namespace.name, "address", "add", end.address, "dev", link);
    ip("-n", end.namespace.name, "link", "set", link, "up");
  }
  return names;
}

export function addRoute(namespace: Namespace, destination: string, via: string): void {
  ip("-n", namespace.name, "route", "add", destination, "via", via);
}

/** Runs it to its end in the namespace. */
export function runIn(namespace: Namespace, command: string, ...args: string[]): string {
  const [program, words] = namespace.run(command, args);
  return execFileSync(program, words, { encoding: "utf8" });
}

function ip(...args: string[]): void {
  execFileSync("ip", args);
}
