/**
 * A shell that waits beside l7prof and puts the terminal back when l7prof ended without doing so: SIGKILL, the OOM
 * killer and crashes of native code leave no time for anything.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { LEAVE } from "./paint.ts";

const SCRIPT = `trap '' INT TERM HUP QUIT TSTP TTOU
IFS= read -r word
[ "$word" = done ] && exit
stty "$1" <&1
printf %s "$2"`;

export class Guard {
  private readonly child: ChildProcess;

  /** Before the terminal is changed: its settings are what is restored. */
  constructor() {
    const { stdout } = spawnSync("stty", ["-g"], { stdio: ["inherit", "pipe", "ignore"], encoding: "utf8" });
    const settings = stdout?.trim() || "sane";
    this.child = spawn("/bin/sh", ["-c", SCRIPT, "l7prof-guard", settings, LEAVE], {
      stdio: ["pipe", "inherit", "ignore"],
    });
    this.child.on("error", () => {}); // no shell: then there is no guard
    this.child.stdin?.on("error", () => {});
    this.child.unref();
    (this.child.stdin as unknown as { unref?: () => void }).unref?.();
  }

  dismiss(): void {
    this.child.stdin?.end("done\n");
  }
}
