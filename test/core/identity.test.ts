import { expect, it } from "vitest";
import { identityOf } from "../../src/core/identity.ts";

const id = "0123456789abcdef".repeat(4);
const uid = "2f1b3c4d-0011-2233-4455-66778899aabb";
const slice = `kubepods-burstable-pod${uid.replaceAll("-", "_")}.slice`;
const inPod = { uid, name: null, namespace: null };

/** Paths as each runtime makes them. */
const CONTAINERS: readonly (readonly [what: string, cgroup: string, runtime: string | null, pod: object | null])[] = [
  ["Docker, cgroupfs, v1", `12:pids:/docker/${id}\n1:name=systemd:/docker/${id}`, "docker", null],
  ["Docker, systemd, v2", `0::/system.slice/docker-${id}.scope`, "docker", null],
  ["Docker in Kubernetes", `0::/kubepods.slice/${slice}/docker-${id}.scope`, "docker", inPod],
  ["containerd in Kubernetes, systemd", `0::/kubepods.slice/${slice}/cri-containerd-${id}.scope`, "containerd", inPod],
  ["containerd in Kubernetes, cgroupfs", `11:cpu,cpuacct:/kubepods/burstable/pod${uid}/${id}\n0::/`, null, inPod],
  [
    "a guaranteed pod",
    `0::/kubepods.slice/kubepods-pod${uid.replaceAll("-", "_")}.slice/crio-${id}.scope`,
    "cri-o",
    inPod,
  ],
  ["CRI-O, with groups within", `0::/kubepods.slice/${slice}/crio-${id}.scope/container`, "cri-o", inPod],
  ["nerdctl, systemd", `0::/system.slice/nerdctl-${id}.scope`, "containerd", null],
  ["Podman, systemd", `0::/machine.slice/libpod-${id}.scope/container`, "podman", null],
  [
    "Podman, rootless",
    `0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id}.scope`,
    "podman",
    null,
  ],
  ["Podman, cgroupfs", `9:name=systemd:/libpod_parent/libpod-${id}\n0::/libpod_parent/libpod-${id}`, "podman", null],
  ["a node that is a container", `0::/docker/${"f".repeat(64)}/kubepods/pod${uid}/${id}`, "docker", inPod],
  ["seen from another group", `0::/../../kubepods.slice/${slice}/cri-containerd-${id}.scope`, "containerd", inPod],
];

it.each(CONTAINERS)("%s", (_what, cgroup, runtime, pod) => {
  expect(identityOf(cgroup)).toEqual({ container: { id, runtime, name: null, pod }, unit: null });
});

it.each([
  ["a service, v2", "0::/system.slice/nginx.service", "nginx.service"],
  ["a service, hybrid", "4:memory:/system.slice\n1:name=systemd:/system.slice/nginx.service\n0::/", "nginx.service"],
  ["a user's", "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app.service", "app.service"],
  ["a group within", "0::/system.slice/php-fpm.service/workers", "php-fpm.service"],
  ["a session", "0::/user.slice/user-0.slice/session-3.scope", "session-3.scope"],
  ["the monitor of a container", `0::/machine.slice/libpod-conmon-${id}.scope`, `libpod-conmon-${id}.scope`],
  ["none", "0::/", null],
  ["nothing at all", "", null],
])("unit: %s", (_what, cgroup, unit) => {
  expect(identityOf(cgroup)).toEqual({ container: null, unit });
});
