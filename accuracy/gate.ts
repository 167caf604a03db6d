/** A process that exists, so that it can be put into a cgroup and profiled, but waits before it becomes its program. */
import { type Child, type ChildOptions, startChild } from "../test/support/child.ts";

export interface Gated {
  readonly child: Child;
  readonly release: () => Promise<void>;
  /** What the program has printed. */
  readonly output: () => readonly string[];
}

const gate = 'echo waiting; read -r _; echo released; exec "$@" </dev/null';

export async function startGated(command: readonly string[], options: ChildOptions = {}): Promise<Gated> {
  const child = startChild("bash", ["-c", gate, "gate", ...command], options);
  await child.line(/^waiting$/);
  return {
    child,
    release: async () => void (await child.ask("go", /^released$/)),
    output: () => child.stdoutLines.slice(2),
  };
}
