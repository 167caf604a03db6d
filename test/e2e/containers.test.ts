/** Containers, pods and units, by control groups that are named as runtimes name theirs. */
import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { createCgroup } from "../support/cgroup.ts";
import { onCleanup } from "../support/cleanup.ts";
import { l7prof, profile } from "../support/l7prof.ts";
import { load } from "../support/load.ts";
import { startNodeServer } from "../support/servers.ts";
import { until } from "../support/until.ts";

/** 64 hex digits that no real container has. */
const id = process.pid.toString(16).padStart(8, "0").padEnd(64, "5f");

/** A group below one that is gone after the test, and a server in it. */
async function startServerIn(path: string) {
  const { directory } = createCgroup("groups");
  const parts = path.split("/").map((_, i, all) => `${directory}/${all.slice(0, i + 1).join("/")}`);
  for (const part of parts) mkdirSync(part);
  for (const part of parts) onCleanup(() => until("the group is empty", () => tryRemove(part)));
  const server = await startNodeServer();
  writeFileSync(`${parts.at(-1)}/cgroup.procs`, `${server.pid}`);
  return { server, group: dirname(parts.at(-1)!) };
}

function tryRemove(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch {
    return false;
  }
}

test("a container by the beginning of its ID: its processes, those that start later too, and its identity", async () => {
  const { server } = await startServerIn(`docker-${id}.scope`);
  const other = await startNodeServer();
  const { summary, lines } = await profile(["--container", id.slice(0, 12)], async () => {
    await load([{ path: "/hello" }], { port: server.port, count: 13 });
    await load([{ path: "/hello" }], { port: other.port, count: 5 });
  });
  expect(lines[0]).toMatchObject({ targets: [{ container: id.slice(0, 12) }] });
  expect(summary.edges).toMatchObject([
    {
      requests: 13,
      process: { pid: server.pid, container: { id, runtime: "docker", name: null, pod: null } },
      peer: { pid: process.pid },
    },
  ]);
});

test("a unit", async () => {
  const unit = `l7prof-test-${process.pid}.service`;
  const { server } = await startServerIn(unit);
  const { summary } = await profile(["--unit", unit.replace(".service", "")], () =>
    load([{ path: "/hello" }], { port: server.port, count: 11 }),
  );
  expect(summary.edges).toMatchObject([{ requests: 11, process: { pid: server.pid, unit } }]);
});

test("a pod: all its containers, by what its environment says where the kubelet's state is not there", async () => {
  const uid = `${process.pid.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`;
  const { directory } = createCgroup("groups");
  const pod = `${directory}/kubepods-pod${uid.replaceAll("-", "_")}.slice`;
  const group = `${pod}/cri-containerd-${id}.scope`;
  for (const path of [pod, group]) {
    mkdirSync(path);
    onCleanup(() => until("the group is empty", () => tryRemove(path)));
  }
  process.env.POD_NAME = "web-0";
  process.env.POD_NAMESPACE = "shop";
  const server = await startNodeServer();
  delete process.env.POD_NAME;
  delete process.env.POD_NAMESPACE;
  writeFileSync(`${group}/cgroup.procs`, `${server.pid}`);
  const { summary } = await profile(["--pod", "shop/web-0"], () =>
    load([{ path: "/hello" }], { port: server.port, count: 7 }),
  );
  const container = { id, runtime: "containerd", name: null, pod: { uid, name: "web-0", namespace: "shop" } };
  expect(summary.edges).toMatchObject([{ requests: 7, process: { pid: server.pid, container } }]);
});

test("what no process runs in: an error that names what there is", async () => {
  const { server } = await startServerIn(`docker-${id}.scope`);
  expect(server.pid).toBeGreaterThan(0);
  const { code, stderr } = await l7prof(["--container", "nowhere"]);
  expect(code).toBe(1);
  expect(stderr).toContain("no process runs in the container nowhere");
  expect(stderr).toContain(id.slice(0, 12));
});
