/**
 * `npm run bench -- --screen`: what the live screen costs. 50,000 exchanges a second on 1,000 endpoints, in a terminal of 120 × 40 that is redrawn once
 * a second. The rate is paced, and the requests are pipelined by ten, so that the load leaves CPU for the rest.
 */
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { runCleanups } from "../test/support/cleanup.ts";
import { startL7prof } from "../test/support/l7prof.ts";
import { type Nginx, startNginx } from "../test/support/nginx.ts";
import { type Screen, startScreen } from "../test/support/tmux.ts";
import { cpuNs } from "./process-cost.ts";

interface ScreenCost {
  readonly ratePerSecond: number;
  readonly sent: number;
  readonly counted: number;
  readonly endpoints: number;
  readonly lostEvents: number;
  readonly redraws: number;
  readonly longestGapMs: number;
  /** Shares of one core under this load: l7prof with the screen, the screen's account of itself, l7prof with --json. */
  readonly withScreen: number;
  readonly screen: number;
  readonly withJson: number;
}

const ENDPOINTS = 1000;
const CONNECTIONS = 10;
const PIPELINED = 10;
const TICK_MS = 10;
const TICKS = 1200;
const BATCHES_A_TICK = 50;

async function measureScreen(): Promise<ScreenCost> {
  const nginx = await startNginx({ log: false, server: 'location /e/ { return 200 "Hello from this nginx.\\n\\n"; }' });
  const shown = await withScreen(nginx);
  return { ...shown, withJson: await withJson(nginx) };
}

async function withScreen(nginx: Nginx): Promise<Omit<ScreenCost, "withJson">> {
  const screen = await startScreen(["--pid", `${nginx.pid}`, "--raw-uris"], { columns: 120, rows: 40 });
  const pid = screen.pid();
  const redraws = watchRedraws(screen);
  const { sent, seconds, cpu } = await underLoad(nginx, pid);
  const watched = await redraws.stop();
  screen.keys("6");
  const [, share] =
    /of which this screen ([\d.]+) %/.exec((await screen.until(/of which this screen/)).join("\n")) ?? [];
  screen.keys("2");
  const [, endpoints] = /of (\d+) ──/.exec((await screen.until(/ENDPOINTS .* of \d+ ──/)).join("\n")) ?? [];
  screen.keys("q");
  const summary = (await screen.exited()).lines.join("\n");
  return {
    ratePerSecond: sent / seconds,
    sent,
    counted: figure(summary, /^exchanges +([\d,]+)/m),
    endpoints: Number(endpoints),
    lostEvents: figure(summary, /^lost events +([\d,]+)/m),
    ...watched,
    withScreen: cpu,
    screen: Number(share) / 100,
  };
}

async function withJson(nginx: Nginx): Promise<number> {
  const run = await startL7prof(["--pid", `${nginx.pid}`, "--raw-uris"]);
  const { cpu } = await underLoad(nginx, run.pid);
  await run.finish();
  return cpu;
}

async function underLoad(nginx: Nginx, pid: number): Promise<{ sent: number; seconds: number; cpu: number }> {
  const [before, startMs] = [cpuNs(pid), performance.now()];
  const sent = await runPacedLoad(nginx);
  const seconds = (performance.now() - startMs) / 1000;
  return { sent, seconds, cpu: (cpuNs(pid) - before) / 1e9 / seconds };
}

/** Each redraw shows another time in the first line. */
function watchRedraws(screen: Screen) {
  const times: number[] = [];
  let shown = "";
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      const [, time = ""] = /(\d+:\d\d:\d\d)/.exec(screen.lines()[0] ?? "") ?? [];
      if (time !== shown) times.push(performance.now());
      shown = time;
      await sleep(50);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await watching;
      const gaps = times.slice(1).map((time, index) => time - times[index]!);
      return { redraws: times.length, longestGapMs: Math.max(...gaps) };
    },
  };
}

/** 50,000 a second while the server keeps up; answers how many were answered. */
async function runPacedLoad(nginx: Nginx): Promise<number> {
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => openClient(nginx.port)));
  let batches = 0;
  const startMs = performance.now();
  for (let tick = 0; tick < TICKS; tick++) {
    for (let batch = 0; batch < BATCHES_A_TICK; batch++) clients[batch % CONNECTIONS]!.send(batches++);
    await sleep(Math.max(0, startMs + tick * TICK_MS - performance.now()));
  }
  await Promise.all(clients.map((client) => client.done()));
  return batches * PIPELINED + CONNECTIONS; // each has asked once for the length of an answer
}

interface Client {
  /** Ten requests in one write. */
  readonly send: (batch: number) => void;
  readonly done: () => Promise<void>;
}

async function openClient(port: number): Promise<Client> {
  const socket = connect(port, "127.0.0.1").setNoDelay();
  await new Promise((resolve) => socket.once("connect", resolve));
  const responseBytes = await answerBytes(socket);
  let owed = 0;
  socket.on("data", (chunk) => {
    owed -= chunk.length;
  });
  return {
    send: (batch) => {
      owed += responseBytes * PIPELINED;
      socket.write(BATCHES[batch % BATCHES.length]!);
    },
    done: async () => {
      while (owed > 0) await sleep(5);
      socket.destroy();
    },
  };
}

const BATCHES = Array.from({ length: ENDPOINTS / PIPELINED }, (_, batch) =>
  Array.from({ length: PIPELINED }, (_, index) => request(batch * PIPELINED + index)).join(""),
);

function request(endpoint: number): string {
  return `GET /e/${String(endpoint).padStart(4, "0")} HTTP/1.1\r\nHost: bench\r\n\r\n`;
}

/** All answers are equally long. */
async function answerBytes(socket: Socket): Promise<number> {
  const answer = new Promise<Buffer>((resolve) => socket.once("data", resolve));
  socket.write(request(0));
  return (await answer).length;
}

function figure(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1]?.replaceAll(",", ""));
}

function print(cost: ScreenCost): void {
  const percent = (share: number) => `${(100 * share).toFixed(1)} % of a core`;
  const rows = [
    ["exchanges a second, on endpoints", `${cost.ratePerSecond.toFixed(0)}, ${cost.endpoints}`, "50000, 1000"],
    ["exchanges counted", `${cost.counted}`, `${cost.sent}`],
    ["events lost", `${cost.lostEvents}`, "0"],
    ["redraws, longest gap", `${cost.redraws}, ${cost.longestGapMs.toFixed(0)} ms`, "one a second"],
    ["l7prof with the screen", percent(cost.withScreen), ""],
    ["of it the screen, by its own account", percent(cost.screen), "≤ 20 % of a core"],
    ["l7prof with --json", percent(cost.withJson), ""],
  ] as const;
  for (const [what, value, wanted] of rows) console.log(`${what.padEnd(44)}${value.padStart(24)}    ${wanted}`);
}

try {
  print(await measureScreen());
} finally {
  await runCleanups();
}
