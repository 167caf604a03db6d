/**
 * Names for containers and pods, from what lies on the host beside them: the runtimes' own state, the kubelet's log
 * directories, and the container's environment. Each may be missing or unreadable; then there is an ID and no name.
 */
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { type Container, type Identity, identityOf, type Pod } from "../core/identity.ts";
import type { Place } from "../core/profile/parties.ts";
import { environmentOf } from "./processes.ts";

/** The host's files: for l7prof in a container that shares the host's processes, and for one on the host itself. */
const ROOTS = ["/proc/1/root", ""];
const CONTAINERD = "/run/containerd/io.containerd.runtime.v2.task";
/** What the runtime calls it, and Kubernetes. */
interface Names {
  readonly name?: string | undefined;
  readonly pod?: string;
  readonly namespace?: string;
}

const NONE: Identity = { container: null, unit: null };

/** As it stands in a profile. */
export function placeOfProcess(pid: number): Place {
  const identity = identityOfProcess(pid);
  return {
    ...(identity?.container && { container: identity.container }),
    ...(identity?.unit && { unit: identity.unit }),
  };
}

/** Null if the process has ended. */
export function identityOfProcess(pid: number): Identity | null {
  const text = read(`/proc/${pid}/cgroup`);
  if (text === null) return null;
  const identity = identityOf(text);
  if (identity.container === null) return identity.unit === null ? NONE : identity;
  return { ...identity, container: named(identity.container, pid) };
}

function named(container: Container, pid: number): Container {
  const known = stateOf(container.id);
  const pod = container.pod === null ? null : namedPod(container.pod, known, pid);
  return { ...container, name: known.name ?? null, pod };
}

function namedPod(pod: Pod, known: Names, pid: number): Pod {
  const [namespace, name] = podFromLogs(pod.uid) ?? [known.namespace, known.pod];
  if (name !== undefined && namespace !== undefined) return { ...pod, name, namespace };
  const environment = environmentOf(pid);
  return {
    ...pod,
    name: name ?? environment.get("POD_NAME") ?? environment.get("HOSTNAME") ?? null,
    namespace: namespace ?? environment.get("POD_NAMESPACE") ?? namespaceOf(pid),
  };
}

/** What the runtime wrote about the container: `name`, and of Kubernetes `pod` and `namespace`. */
function stateOf(id: string): Names {
  return fromDocker(id) ?? fromBundle(id) ?? fromPodman(id) ?? {};
}

function fromDocker(id: string): Names | null {
  const state = readJson(`/var/lib/docker/containers/${id}/config.v2.json`) as {
    Name?: string;
    Config?: { Labels?: Record<string, string> };
  } | null;
  if (state === null) return null;
  return { name: state.Name?.replace(/^\//, ""), ...kubernetesNames(state.Config?.Labels ?? {}) } as Record<
    string,
    string
  >;
}

/** The OCI bundle (https://github.com/opencontainers/runtime-spec): its annotations hold the names. */
function fromBundle(id: string): Names | null {
  const bundles = [
    ...["k8s.io", "moby", "default"].map((namespace) => `${CONTAINERD}/${namespace}/${id}`),
    `/run/containers/storage/overlay-containers/${id}/userdata`,
  ];
  for (const bundle of bundles) {
    const config = readJson(`${bundle}/config.json`) as { annotations?: Record<string, string> } | null;
    const names = config === null ? {} : kubernetesNames(config.annotations ?? {});
    if (Object.keys(names).length > 0) return names;
  }
  return null;
}

function fromPodman(id: string): Names | null {
  const list = readJson(`/var/lib/containers/storage/overlay-containers/containers.json`);
  const its = Array.isArray(list) ? list.find((entry) => entry?.id === id) : undefined;
  return typeof its?.names?.[0] === "string" ? { name: its.names[0] } : null;
}

const KEYS: readonly (readonly [key: string, name: keyof Names])[] = [
  ["io.kubernetes.cri.container-name", "name"],
  ["io.kubernetes.cri.sandbox-name", "pod"],
  ["io.kubernetes.cri.sandbox-namespace", "namespace"],
  ["io.kubernetes.container.name", "name"],
  ["io.kubernetes.pod.name", "pod"],
  ["io.kubernetes.pod.namespace", "namespace"],
  ["nerdctl/name", "name"],
];

function kubernetesNames(labels: Readonly<Record<string, string>>): Names {
  return Object.fromEntries(
    KEYS.flatMap(([key, name]) => (typeof labels[key] === "string" ? [[name, labels[key]]] : [])),
  );
}

/** The kubelet's /var/log/pods/NAMESPACE_NAME_UID; neither a namespace nor a name has an underscore. */
function podFromLogs(uid: string): readonly [namespace: string, name: string] | null {
  const entry = onHost("/var/log/pods", (path) => readdirSync(path))?.find((entry) => entry.endsWith(`_${uid}`));
  const [namespace, name] = entry?.split("_") ?? [];
  return namespace === undefined || name === undefined ? null : [namespace, name];
}

function namespaceOf(pid: number): string | null {
  const text = readForeign(`/proc/${pid}/root/var/run/secrets/kubernetes.io/serviceaccount/namespace`);
  return /^[a-z0-9.-]{1,253}$/.exec(text.trim())?.[0] ?? null;
}

/** What a container could have made anything of: a pipe that never ends, or a link to a file of the host. */
function readForeign(path: string): string {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const buffer = Buffer.alloc(fstatSync(fd).isFile() ? 512 : 0);
      return buffer.toString("utf8", 0, readSync(fd, buffer));
    } finally {
      closeSync(fd);
    }
  } catch {
    return "";
  }
}

function readJson(path: string): unknown {
  return onHost(path, (path) => JSON.parse(readFileSync(path, "utf8")));
}

function onHost<T>(path: string, look: (path: string) => T): T | null {
  for (const root of ROOTS) {
    try {
      return look(root + path);
    } catch {
      // it may be at the other root, or not be at all
    }
  }
  return null;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
