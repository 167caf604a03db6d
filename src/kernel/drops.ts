/** Which program sees dropped packets: the kernel gives the reason since 5.17, the receiver since 6.11. BTF says which. */
import { libbpf } from "./libbpf.ts";
import type { Pointer } from "./system-error.ts";

/** By how many arguments the tracepoint has. */
const PROGRAMS: Readonly<Record<number, string>> = { 3: "l7p_drop_517", 4: "l7p_drop" };
const TRACEPOINT = "kfree_skb";
const PREFIX = "SKB_DROP_REASON_";

export function chooseDropProgram(object: Pointer, isWanted: boolean): void {
  const bpf = libbpf();
  const chosen = isWanted ? programHere() : undefined;
  for (const program of Object.values(PROGRAMS)) {
    bpf.setAutoload(bpf.findProgram(object, program), program === chosen);
  }
}

/** Why they are not shown, if they can't be. */
export function whyNoDrops(): string | null {
  if (programHere() !== undefined) return null;
  return "the kernel does not say why it drops packets: it does from 5.17 on";
}

/** As the kernel calls them, by number. */
export function dropReasons(): ReadonlyMap<number, string> {
  const names = libbpf().enumeratorsOf("skb_drop_reason");
  return new Map(
    [...names].map(([value, name]) => [value, name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name]),
  );
}

function programHere(): string | undefined {
  return PROGRAMS[libbpf().tracepointArguments(TRACEPOINT)];
}
