/** `-- CMD ARG…`: starts the program as the invoking user, held back until the probe is attached. */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { UserError } from "./errors.ts";

/** Waits for its go on descriptor 3, then becomes the program: so the PID is known before its first call. */
const GATE = 'read -r _ <&3; exec 3<&-; exec "$@"';

export class Command {
  readonly pid: number;
  private readonly child: ChildProcess;
  private readonly exited: Promise<number>;

  /** @throws UserError `cannot-start` */
  constructor(command: readonly string[]) {
    this.child = spawn("/bin/sh", ["-c", GATE, "l7prof", ...command], {
      stdio: ["inherit", "inherit", "inherit", "pipe"],
      ...invokingUser(),
    });
    if (this.child.pid === undefined) {
      throw new UserError("cannot-start", `cannot start ${command[0]}`, "see that it can be run as the invoking user");
    }
    this.pid = this.child.pid;
    this.exited = new Promise((resolve) => {
      this.child.once("exit", (code, signal) =>
        resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]),
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

function invokingUser(): { uid?: number; gid?: number } {
  const { SUDO_UID, SUDO_GID } = process.env;
  if (process.geteuid?.() !== 0 || SUDO_UID === undefined) return {};
  return { uid: Number(SUDO_UID), gid: Number(SUDO_GID ?? SUDO_UID) };
}
