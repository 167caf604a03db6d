/** `-- CMD ARG…`: starts the program as the invoking user, held back until the probe is attached. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { UserError } from "./errors.ts";
import { invokingUser } from "./invoking-user.ts";

/** Waits for its go on descriptor 3, then becomes the program: so the PID is known before its first call. */
const GATE = 'read -r _ <&3; exec 3<&-; exec "$@"';

export class Command {
  readonly pid: number;
  private readonly child: ChildProcess;
  private readonly exited: Promise<number>;

  /** @throws UserError `cannot-start` */
  constructor(command: readonly string[]) {
    checkExecutable(command[0]!);
    const [program, ...args] = asInvokingUser(["/bin/sh", "-c", GATE, "l7prof", ...command]);
    this.child = spawn(program!, args, { stdio: ["inherit", "inherit", "inherit", "pipe"] });
    if (this.child.pid === undefined) {
      throw new UserError("cannot-start", `cannot start ${command[0]}`, "see that it can be run as the invoking user");
    }
    this.pid = this.child.pid;
    this.exited = new Promise((resolve) => {
      this.child.once("exit", (code, signal) =>
        resolve(signal === null ? (code ?? 1) : 128 + osConstants.signals[signal]),
      );
    });
  }

  release(): void {
    const gate = this.child.stdio[3] as NodeJS.WritableStream;
    gate.on("error", () => {}); // it was ended before it began
    gate.end("go\n");
  }

  /** Its exit status as a shell tells it, or null while it runs. */
  async status(): Promise<number | null> {
    return Promise.race([this.exited, new Promise<null>((resolve) => setTimeout(resolve, 200, null))]);
  }

  /** When the run could not begin. */
  abort(): void {
    this.child.kill("SIGKILL");
  }
}

/** As the invoking user where there is one, with that user's groups. */
function asInvokingUser(command: readonly string[]): readonly string[] {
  const user = invokingUser();
  if (user === undefined) return command;
  return ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--init-groups", "--", ...command];
}

/** The shell behind the gate would find it too late: the start is told by then. */
function checkExecutable(name: string): void {
  const directories = name.includes("/") ? [""] : (process.env.PATH ?? "").split(":").map((path) => `${path || "."}/`);
  const found = directories
    .map((directory) => directory + name)
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  if (found.some(isExecutable)) return;
  const why = found.length === 0 ? "there is no such program" : "it may not be executed";
  throw new UserError(
    "cannot-start",
    `cannot start ${name}: ${why}`,
    "give a program in the PATH, or its path, after --",
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
