/** Where a process runs, from the JSON of a recording, which may be damaged: null unless all is as it should be. */
import type { Container, Pod, Runtime } from "../core/identity.ts";
import type { Place } from "../core/profile/parties.ts";

const RUNTIMES: readonly unknown[] = ["docker", "containerd", "cri-o", "podman", null] satisfies (Runtime | null)[];

export function readPlace(json: string): Place | null {
  try {
    const { container, unit } = JSON.parse(json);
    if (container !== undefined && !isContainer(container)) return null;
    if (unit !== undefined && typeof unit !== "string") return null;
    return { ...(container && { container: containerOf(container) }), ...(unit && { unit }) };
  } catch {
    return null;
  }
}

function isContainer(value: Container): boolean {
  const { id, runtime, name, pod } = value;
  return typeof id === "string" && RUNTIMES.includes(runtime) && isTextOrNull(name) && (pod === null || isPod(pod));
}

function isPod({ uid, name, namespace }: Pod): boolean {
  return typeof uid === "string" && isTextOrNull(name) && isTextOrNull(namespace);
}

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === "string";
}

/** No field more than there should be. */
function containerOf({ id, runtime, name, pod }: Container): Container {
  return { id, runtime, name, pod: pod && { uid: pod.uid, name: pod.name, namespace: pod.namespace } };
}
