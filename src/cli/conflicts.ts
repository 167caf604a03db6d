/** What can't stand together on one command line. As data: what is given, what with it makes no sense, how to fix it. */
import { UserError } from "../errors.ts";

/** `given`: the long flags of the command line, and `--` when a command follows it. */
export function checkConflicts(kind: "run" | "replay" | "doctor", given: ReadonlySet<string>): void {
  if (kind === "doctor") checkDoctor(given);
  if (kind === "replay") checkReplay(given);
  for (const [a, b, fix] of PAIRS) {
    if (given.has(a) && given.has(b)) throw conflict(`${a} and ${b} exclude each other`, fix);
  }
  if (given.has("--no-follow") && !given.has("--pid")) {
    throw conflict("--no-follow needs --pid", "name the process with --pid, or leave --no-follow out");
  }
  if (given.has("--zipkin-untraced") && !given.has("--zipkin")) {
    throw conflict("--zipkin-untraced needs --zipkin", "say where the spans go: --zipkin http://127.0.0.1:9411");
  }
  if (kind === "run" && !TARGETS.some((target) => given.has(target))) throw noTarget(given);
}

/** Of these, one at a time. */
const FORMATS = ["--plain", "--json", "--topology", "--dot", "--mermaid"];

const PAIRS: readonly (readonly [a: string, b: string, fix: string])[] = [
  ["--json", "--plain", "choose one: --json for scripts, --plain for tables"],
  ...FORMATS.flatMap((a, i) => FORMATS.slice(i + 1).map((b) => [a, b, "choose one of them"] as const)),
];

const TARGETS = ["--pid", "--cgroup", "--comm", "--container", "--pod", "--unit", "--all", "--"];

/** A recording holds what was captured: whom to capture, and how, was decided then. */
const NOT_WITH_REPLAY = [...TARGETS, "--no-follow", "--port", "--record", "--buffer-size", "--tls"];

function checkReplay(given: ReadonlySet<string>): void {
  const wrong = NOT_WITH_REPLAY.find((flag) => given.has(flag));
  if (wrong === undefined) return;
  const what = wrong === "--" ? "a command after --" : wrong;
  throw conflict(
    `replay reads a recording and takes no ${what.replace(/^a /, "")}`,
    `leave ${what} out: targets are chosen when recording`,
  );
}

const WITH_DOCTOR: ReadonlySet<string> = new Set(["--json", "--pid", "--no-color", "--debug"]);

function checkDoctor(given: ReadonlySet<string>): void {
  const wrong = [...given].find((flag) => !WITH_DOCTOR.has(flag));
  if (wrong === undefined) return;
  throw conflict(`doctor takes no ${wrong === "--" ? "command after --" : wrong}`, "run it as: l7prof doctor [--json]");
}

function noTarget(given: ReadonlySet<string>): UserError {
  const fix = given.has("--port")
    ? "--port narrows a target: add --all for the whole machine, or --pid, --comm or --cgroup"
    : "name one: --pid PID, --comm NAME, --cgroup PATH, --all, or -- CMD; l7prof --help says more";
  return new UserError("no-target", "nothing to profile", fix, { exitCode: 2 });
}

function conflict(message: string, fix: string): UserError {
  return new UserError("conflict", message, fix, { exitCode: 2 });
}
