/** `--container`, `--pod` and `--unit`: which processes those are now, and the control group that later ones join. */
import { existsSync } from "node:fs";
import type { TargetConfig } from "../config.ts";
import type { Identity } from "../core/identity.ts";
import { UserError } from "../errors.ts";
import { identityOfProcess } from "./containers.ts";
import { allPids, unifiedGroupOf } from "./processes.ts";

export interface TargetGroups {
  /** Cgroup v2 directories. */
  readonly cgroups: readonly string[];
  /** Processes that have none of their own: on a host with cgroup v1. */
  readonly pids: readonly number[];
}

interface Member {
  readonly pid: number;
  readonly identity: Identity;
}

interface Wanted {
  readonly flag: string;
  readonly name: string;
  readonly isIn: (identity: Identity) => boolean;
  /** The end of its group in a path, so that groups within it belong to it. */
  readonly ending: (identity: Identity) => RegExp;
  /** How the identity would be asked for. */
  readonly nameOf: (identity: Identity) => string | null;
}

const MOUNTS = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
const SHORT_ID = 12;
const MAX_HINTS = 8;

/** @throws UserError `no-such-group` for one that has no process. */
export function findGroups(targets: TargetConfig): TargetGroups {
  const wanted = wantedOf(targets);
  if (wanted.length === 0) return { cgroups: [], pids: [] };
  const members = allPids().flatMap((pid): Member[] => {
    const identity = identityOfProcess(pid);
    return identity === null ? [] : [{ pid, identity }];
  });
  const found = wanted.flatMap((one) => placesOf(one, members));
  return {
    cgroups: [...new Set(found.flatMap((place) => (typeof place === "string" ? [place] : [])))],
    pids: found.filter((place) => typeof place === "number"),
  };
}

function placesOf(wanted: Wanted, members: readonly Member[]): (string | number)[] {
  const its = members.filter(({ identity }) => wanted.isIn(identity));
  if (its.length === 0) throw noSuchGroup(wanted, members);
  return its.map(({ pid, identity }) => directoryOf(pid, wanted.ending(identity)) ?? pid);
}

/** Null if the process is in none of cgroup v2, or in one that is not seen from here. */
function directoryOf(pid: number, ending: RegExp): string | null {
  const path = unifiedGroupOf(pid) ?? "/";
  const end = ending.exec(path);
  if (end === null) return null;
  const directory = path.slice(0, end.index + end[0].length);
  return MOUNTS.map((mount) => mount + directory).find((place) => existsSync(`${place}/cgroup.procs`)) ?? null;
}

function wantedOf({ containers, pods, units }: TargetConfig): Wanted[] {
  return [
    ...containers.map((name) => container(name)),
    ...pods.map((name) => pod(name)),
    ...units.map((name) => unit(name)),
  ];
}

function container(name: string): Wanted {
  const isId = /^[0-9a-f]{12,64}$/.test(name);
  return {
    flag: "--container",
    name,
    isIn: ({ container }) => container !== null && (container.name === name || (isId && container.id.startsWith(name))),
    ending: ({ container }) => new RegExp(`${container!.id}(?:\\.scope)?(?=/|$)`),
    nameOf: ({ container }) => container && (container.name ?? container.id.slice(0, SHORT_ID)),
  };
}

function pod(name: string): Wanted {
  const fullName = (identity: Identity) => {
    const pod = identity.container?.pod;
    return pod?.name && pod.namespace ? `${pod.namespace}/${pod.name}` : null;
  };
  return {
    flag: "--pod",
    name,
    isIn: (identity) => fullName(identity) === name,
    ending: ({ container }) => new RegExp(`pod${container!.pod!.uid.replaceAll("-", "[-_]")}(?:\\.slice)?(?=/|$)`),
    nameOf: fullName,
  };
}

function unit(name: string): Wanted {
  const fullName = /\.(?:service|scope)$/.test(name) ? name : `${name}.service`;
  return {
    flag: "--unit",
    name,
    isIn: (identity) => identity.unit === fullName,
    ending: (identity) => new RegExp(`/${identity.unit!.replace(/[^\w-]/g, "\\$&")}(?=/|$)`),
    nameOf: (identity) => identity.unit,
  };
}

function noSuchGroup({ flag, name, nameOf }: Wanted, members: readonly Member[]): UserError {
  const names = [...new Set(members.flatMap(({ identity }) => nameOf(identity) ?? []))].sort();
  const shown = names.slice(0, MAX_HINTS).join(", ") + (names.length > MAX_HINTS ? ", …" : "");
  const what = { "--container": "container", "--pod": "pod NAMESPACE/NAME", "--unit": "systemd unit" }[flag];
  return new UserError(
    "no-such-group",
    `no process runs in the ${what} ${name}`,
    names.length === 0 ? `no ${what} was found on this host: use --pid or --comm` : `there are: ${shown}`,
  );
}
