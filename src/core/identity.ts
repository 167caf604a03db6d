/**
 * What a process runs in, from the paths of its control groups: the container and its runtime, the Kubernetes pod, the
 * systemd unit. Runtimes name their groups in their own ways, with the cgroupfs or the systemd driver, on v1 and v2.
 */

export type Runtime = "docker" | "containerd" | "cri-o" | "podman";

export interface Pod {
  readonly uid: string;
  readonly name: string | null;
  readonly namespace: string | null;
}

export interface Container {
  readonly id: string;
  /** Null: its group does not tell. */
  readonly runtime: Runtime | null;
  readonly name: string | null;
  readonly pod: Pod | null;
}

export interface Identity {
  readonly container: Container | null;
  /** `nginx.service`; null in a container. */
  readonly unit: string | null;
}

/** A group of a container ends in its ID: 64 hex digits, alone or with a prefix, and `.scope` with the systemd driver. */
const CONTAINER = /(?:^|\/)(?:([a-z]+(?:-[a-z]+)?)-)?([0-9a-f]{64})(?:\.scope)?(?=\/|$)/g;
const RUNTIMES: Readonly<Record<string, Runtime>> = {
  docker: "docker",
  "cri-containerd": "containerd",
  nerdctl: "containerd",
  crio: "cri-o",
  libpod: "podman",
};
/** `pod<uid>`; the systemd driver writes `_` for the dashes of the uid, since a dash separates slices. */
const POD =
  /(?:^|[/-])pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?(?=\/|$)/;
const UNIT = /\/([^/]+\.(?:service|scope))(?=\/|$)/g;

/** `text`: what /proc/PID/cgroup holds, a line a hierarchy: `ID:CONTROLLERS:PATH` (cgroups(7)). */
export function identityOf(text: string): Identity {
  const paths = text.split("\n").flatMap((line) => /^(\d+):([^:]*):(.*)$/.exec(line)?.slice(2) ?? []);
  const lines = Array.from({ length: paths.length / 2 }, (_, i) => [paths[2 * i]!, paths[2 * i + 1]!] as const);
  for (const [, path] of lines) {
    const container = containerOf(path);
    if (container !== null) return { container, unit: null };
  }
  // systemd keeps its units in the v2 hierarchy, or in one of its own.
  const [, path = ""] = lines.find(([names, path]) => (names === "" || names === "name=systemd") && path !== "/") ?? [];
  return { container: null, unit: [...path.matchAll(UNIT)].at(-1)?.[1] ?? null };
}

function containerOf(path: string): Container | null {
  // The innermost: a node of a cluster may be a container itself.
  const match = [...path.matchAll(CONTAINER)].at(-1);
  if (match === undefined) return null;
  const [, prefix = "", id] = match;
  if (prefix.endsWith("conmon")) return null; // the runtime's own process beside the container
  const uid = POD.exec(path)?.[1]?.replaceAll("_", "-");
  const pod = uid === undefined ? null : { uid, name: null, namespace: null };
  return { id: id!, runtime: RUNTIMES[prefix] ?? runtimeOfParent(path), name: null, pod };
}

function runtimeOfParent(path: string): Runtime | null {
  if (/(?:^|\/)docker\//.test(path)) return "docker";
  return /(?:^|\/)libpod_parent\//.test(path) ? "podman" : null;
}
