import { execFileSync } from "node:child_process";
import { type Child, startChild } from "./child.ts";
import { connectNamespaces, createNamespace, type End } from "./network.ts";
import { inRepo } from "./paths.ts";

export interface Link extends Child {
  /** Ends it; answers how many frames it lost on purpose. */
  readonly lost: () => Promise<number>;
}

/**
 * Connects two namespaces by a link with delay each way and loss from left to right. A program forwards the frames
 * between two cables, since not every kernel has netem.
 */
export async function connectSlowly(
  left: End,
  right: End,
  { delayMs, loseEvery = 0 }: { delayMs: number; loseEvery?: number },
): Promise<Link> {
  const middle = createNamespace();
  const cable = (end: End) => connectNamespaces(end, { namespace: middle, address: "0.0.0.0/32" });
  const [[leftEnd, near], [rightEnd, far]] = [cable(left), cable(right)];
  // The frames must be what goes over a wire: no checksums left to the card, no segments larger than it takes.
  const plain = (namespace: string, link: string) =>
    execFileSync("ip", [
      "netns",
      "exec",
      namespace,
      "ethtool",
      "-K",
      link,
      "tx",
      "off",
      "gso",
      "off",
      "tso",
      "off",
      "gro",
      "off",
    ]);
  plain(left.namespace.name, leftEnd);
  plain(right.namespace.name, rightEnd);
  const program = inRepo("test/servers/delaying-link.py");
  const link = startChild(...middle.run("python3", [program, near, far, String(delayMs), String(loseEvery)]));
  await link.line(/^ready/);
  return { ...link, lost: async () => Number((await link.ask("end", /lost (\d+)/))[1]) };
}
