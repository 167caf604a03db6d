/** Whatever ends the program: the terminal is as it was. And whatever the terminal does: the capture goes on. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Summary } from "../../src/core/profile/window.ts";
import { startChild } from "../support/child.ts";
import { exactly, l7prof, parseLines } from "../support/l7prof.ts";
import { load } from "../support/load.ts";
import { inRepo, temporaryDirectory } from "../support/paths.ts";
import { startNodeServer } from "../support/servers.ts";
import { type Screen, startScreen } from "../support/tmux.ts";
import { until } from "../support/until.ts";

async function startOnServer(env: Readonly<Record<string, string>> = {}): Promise<Screen> {
  const server = await startNodeServer();
  const screen = await startScreen(["--pid", `${server.pid}`, "--raw-uris", "--interval", "200ms"], { env });
  await load([{ path: "/hello" }], { port: server.port, count: 23 });
  await screen.until(/\/hello +23 /);
  expect(screen.isAlternate()).toBe(true);
  expect(screen.isCursorShown()).toBe(false);
  expect(screen.settings()).toMatch(/-icanon/);
  return screen;
}

async function expectRestored(screen: Screen): Promise<void> {
  await until("the normal screen", () => !screen.isAlternate() && screen.isCursorShown());
  await until("the settings of before", () => !/-icanon|-echo\b|-isig/.test(screen.settings()));
}

describe("the terminal is put back", () => {
  test.each<[string, (screen: Screen) => void]>([
    ["q", (screen) => screen.keys("q")],
    ["Ctrl-C", (screen) => screen.keys("C-c")],
    ["SIGTERM", (screen) => process.kill(screen.pid(), "SIGTERM")],
  ])("after %s, and the summary stands on the normal screen", async (_, end) => {
    const screen = await startOnServer();
    end(screen);
    const { code, lines } = await screen.exited();
    expect(code).toBe(0);
    expect(lines[0]).toBe("before");
    expect(lines.join("\n")).toMatch(/SUMMARY {2}23 exchanges/);
    await expectRestored(screen);
  });

  test("after SIGHUP, and nothing is printed", async () => {
    const screen = await startOnServer();
    process.kill(screen.pid(), "SIGHUP");
    const { code, lines } = await screen.exited();
    expect({ code, lines }).toEqual({ code: 0, lines: ["before"] });
    await expectRestored(screen);
  });

  test.each(["SIGKILL", "SIGSEGV"] as const)("after %s, which leaves no time for anything", async (signal) => {
    const screen = await startOnServer();
    process.kill(screen.pid(), signal);
    await expectRestored(screen);
  });

  test("after an error that nobody expected, and the error stands on the normal screen", async () => {
    const crash = join(temporaryDirectory(), "crash.cjs");
    writeFileSync(crash, 'process.on("SIGUSR2", () => { throw new Error("on purpose"); });');
    const screen = await startOnServer({ NODE_OPTIONS: `--require ${crash}` });
    process.kill(screen.pid(), "SIGUSR2");
    const { code, lines } = await screen.exited();
    expect(code).toBe(1);
    expect(lines.join("\n")).toContain("on purpose");
    await expectRestored(screen);
  });

  test("with Ctrl-Z, and fg brings the screen back", async () => {
    const screen = await startOnServer();
    const pid = screen.pid();
    screen.keys("C-z");
    await expectRestored(screen);
    process.kill(pid, "SIGCONT");
    await until("the alternate screen", screen.isAlternate);
    await screen.until(/\/hello +23 /);
    screen.keys("q");
    expect((await screen.exited()).code).toBe(0);
  });
});

test("a terminal that nobody reads does not hold back the capture: frames are dropped, exchanges are not", async () => {
  const server = await startNodeServer();
  const recording = join(temporaryDirectory(), "run.l7");
  const args = [
    "--pid",
    `${server.pid}`,
    "--raw-uris",
    "--interval",
    "100ms",
    "--count",
    "5003",
    "--record",
    recording,
  ];
  const command = ["node", inRepo("bin/l7prof.js"), ...args];
  const terminal = startChild("python3", [inRepo("test/servers/blocked-terminal.py"), ...command], {
    env: { TERM: "xterm" },
  });
  await terminal.line(/^ready/);
  const [, waiting] = await terminal.ask("fill", /^full (\d+)/);
  expect(Number(waiting)).toBeGreaterThan(1000);
  await load([{ path: "/hello" }], { port: server.port, count: 5003 });
  // The recording is whole when the run has ended, which it has with its terminal still full.
  const summary = await until("the end of the recording", async () => {
    const { stdout } = await l7prof(["replay", recording, "--json", ...exactly]);
    const found = parseLines(stdout.split("\n")).find(({ type }) => type === "summary") as unknown as Summary;
    return found?.capture.exchanges === 5003 && found;
  });
  expect(summary.capture).toMatchObject({ exchanges: 5003, lostEvents: 0, coverage: 1 });
  const [, code] = await terminal.ask("read", /^exit (\d+)/);
  expect(code).toBe("0");
  expect(terminal.stdoutLines.join("\n")).toMatch(/5,003 exchanges/);
});
