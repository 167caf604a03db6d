/** The live screen in a real terminal, against the NDJSON of the same run. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { connect } from "node:http2";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Summary } from "../../src/core/profile/window.ts";
import { exactly, l7prof, parseLines } from "../support/l7prof.ts";
import { load, type Request } from "../support/load.ts";
import { inRepo, temporaryDirectory } from "../support/paths.ts";
import { type Cells, compared, endpointCells, metricCells, tableOf } from "../support/screen-table.ts";
import { startNodeServer } from "../support/servers.ts";
import { openScreen, type Screen, startScreen } from "../support/tmux.ts";

const mix: readonly Request[] = [
  { path: "/hello" },
  { path: "/size/700" },
  { path: "/status/404" },
  { path: "/chunked/3" },
  { path: "/hello", method: "HEAD" },
  { path: "/status/503" },
  { path: "/upload", method: "POST", body: "x".repeat(900) },
];

async function summaryOf(recording: string): Promise<Summary> {
  const { stdout } = await l7prof(["replay", recording, "--json", ...exactly]);
  return parseLines(stdout.split("\n")).find(({ type }) => type === "summary") as unknown as Summary;
}

/** The screen's endpoints are those of the recording, in every column that it shows. */
async function expectSameAsNdjson(
  shown: readonly string[],
  recording: string,
  digits: 2 | 3,
): Promise<readonly Cells[]> {
  const { edges } = await summaryOf(recording);
  const table = tableOf(shown);
  const [screen, ndjson] = compared(table, endpointCells(edges, digits));
  expect(screen).toEqual(ndjson);
  return table;
}

describe.each([
  { columns: 80, rows: 24, digits: 2, titles: ["METHOD", "URI", "COUNT", "CPM", "ERR", "P50", "P95", "P99"] },
  {
    columns: 120,
    rows: 40,
    digits: 3,
    titles: ["PROGRAM", "METHOD", "URI", "COUNT", "CPM", "ERR", "REQ", "RESP", "TTFB", "P50", "P95", "P99", "MAX"],
  },
] as const)("at $columns × $rows", ({ columns, rows, digits, titles }) => {
  test("1,009 exchanges: endpoints, edges and statuses are those of the NDJSON of the same run", async () => {
    const server = await startNodeServer();
    const recording = join(temporaryDirectory(), "run.l7");
    const screen = await startScreen(["--pid", `${server.pid}`, "--raw-uris", "--record", recording], {
      columns,
      rows,
    });
    await load(mix, { port: server.port, count: 1009, connections: 4 });
    screen.keys("1");
    const edges = tableOf(await screen.until(/1,009 /));
    screen.keys("3");
    const statuses = await screen.until(/server 503 .*\n/);
    screen.keys("2");
    const endpoints = await screen.until(/ENDPOINTS .* of 7 ──/);
    expect(endpoints[0]).toContain("coverage 100 %");
    expect(endpoints.length).toBe(rows);
    screen.keys("q");
    const { code, lines } = await screen.exited();
    expect(code).toBe(0);
    expect(lines.join("\n")).toMatch(/SUMMARY {2}1,009 exchanges/);

    const table = await expectSameAsNdjson(endpoints, recording, digits);
    expect(Object.keys(table[0]!)).toEqual(titles);
    const summary = await summaryOf(recording);
    const [shown, wanted] = compared(edges, [metricCells(summary.edges[0]!, digits)]);
    expect(shown).toEqual(wanted);
    for (const [status, count] of Object.entries(summary.edges[0]!.statuses)) {
      expect(statuses.join("\n")).toMatch(new RegExp(`server ${status} +${count} `));
    }
  });
});

test("resized again and again under load: it fills the terminal each time, and nothing is lost", async () => {
  const server = await startNodeServer();
  const recording = join(temporaryDirectory(), "run.l7");
  const args = ["--pid", `${server.pid}`, "--raw-uris", "--record", recording, "--interval", "200ms"];
  const screen = await startScreen(args);
  const working = load(mix, { port: server.port, count: 20_011, connections: 8 });
  for (const [columns, rows] of [
    [120, 40],
    [60, 15],
    [200, 50],
    [40, 8],
    [81, 25],
  ] as const) {
    screen.resize(columns, rows);
    // The footer is the last line, and the title reaches the right edge.
    const lines = await screen.until(new RegExp(`^ .*\n.*\n── ENDPOINTS .*(\n.*){${rows - 4}}\n .+$`));
    expect(lines.length).toBe(rows);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    if (columns >= 60) expect(lines[2]!.length).toBe(columns);
  }
  await working;
  screen.resize(80, 24);
  screen.keys("1");
  await screen.until(/20,011 /);
  screen.keys("2");
  const lines = await screen.until(/ENDPOINTS .* of 7 ──/);
  screen.keys("q");
  await screen.exited();
  await expectSameAsNdjson(lines, recording, 2);
});

test("a recording stays on the screen until q, which says what replay --json says", async () => {
  const recording = inRepo("test/fixtures/recordings/node.l7prof");
  const screen = openScreen(["replay", recording, "--raw-uris"], { columns: 140, rows: 50 });
  const lines = await screen.until(/ENDED/);
  await expectSameAsNdjson(lines, recording, 3);
  screen.keys("q");
  expect((await screen.exited()).code).toBe(0);
});

test("pause: the screen stands still, the capture goes on", async () => {
  const server = await startNodeServer();
  const screen = await startScreen(["--pid", `${server.pid}`, "--raw-uris", "--interval", "100ms"]);
  await load([{ path: "/hello" }], { port: server.port, count: 101 });
  await screen.until(/\/hello +101 /);
  screen.keys("p");
  const [, , ...before] = await screen.until(/PAUSED/);
  await load([{ path: "/hello" }], { port: server.port, count: 202 });
  const [, , ...after] = screen.lines();
  expect(after).toEqual(before);
  screen.keys("p");
  await screen.until(/\/hello +303 /);
  await quit(screen);
});

test("filter, sort, reset, interval, and the way from an edge to the distributions of an endpoint", async () => {
  const server = await startNodeServer();
  const screen = await startScreen(["--pid", `${server.pid}`, "--raw-uris", "--interval", "200ms"]);
  await load(mix, { port: server.port, count: 700 });
  await screen.until(/\/hello/);
  screen.keys("/");
  screen.keys("-l", "GET 4xx");
  await screen.until(/ENDPOINTS .*filter: GET 4xx .* 1 of 1 ──/);
  screen.keys("Enter");
  screen.keys("Escape");
  await screen.until(/ENDPOINTS .* 1 of 7 ──/);
  screen.keys("s");
  await screen.until(/CPM↓/);
  screen.keys("r");
  await screen.until(/CPM↑/);
  screen.keys("1");
  await screen.until(/> .* → .*\[\d+\] +700 /);
  screen.keys("Enter");
  await screen.until(/ENDPOINTS .* of .* → /);
  screen.keys("End");
  await screen.until(/(\d) of \1 ──/);
  screen.keys("Enter");
  await screen.until(/DISTRIBUTIONS .* exchanges/);
  screen.keys("+");
  await screen.until(/every 500ms/);
  screen.keys("0");
  await screen.until(/totals begin anew/);
  screen.keys("1");
  await screen.until(/since the reset/);
  screen.keys("q");
  expect((await screen.exited()).lines.join("\n")).toMatch(/SUMMARY {2}700 exchanges/);
});

test("a sample: whole, as curl, as a file, with secrets redacted", async () => {
  const server = await startNodeServer();
  const directory = temporaryDirectory();
  mkdirSync(join(directory, "here"));
  const cwd = join(directory, "here");
  const screen = await startScreen(["--pid", `${server.pid}`, "--5xx", "--interval", "200ms"], { cwd });
  await load([{ path: "/status/503?token=s3cret", headers: { cookie: "a=s3cret" } }], { port: server.port, count: 1 });
  screen.keys("5");
  await screen.until(/503 GET +\/status\/503/);
  screen.keys("Enter");
  await screen.until(/SAMPLE .*GET \/status\/503/);
  await screen.until(/> cookie: \[redacted\]/);
  screen.keys("c");
  await screen.until(/curl -i -g 'http/);
  screen.keys("w");
  await screen.until(/written to l7prof-.*-503\.txt/);
  await quit(screen);
  const [file] = readdirSync(cwd);
  const text = readFileSync(join(cwd, file!), "utf8");
  expect(text).toMatch(/> GET \/status\/503\?token=\[redacted\] HTTP\/1\.1/);
  expect(text).toContain("curl -i -g");
  expect(text).not.toContain("s3cret");
});

test("what can't be read stands in the first line and in view 6", async () => {
  const server = await startNodeServer(["--http2"]);
  const screen = await startScreen(["--pid", `${server.pid}`, "--interval", "200ms"]);
  const session = connect(`http://127.0.0.1:${server.port}`);
  const stream = session.request({ ":path": "/" });
  stream.resume();
  await new Promise((resolve) => stream.once("end", resolve));
  session.destroy();
  await screen.until(/^.*! 1 not read/);
  screen.keys("6");
  await screen.until(/TLS AND WARNINGS[\s\S]*speaks HTTP\/2/);
  await quit(screen);
});

test("NO_COLOR: no colour at all, and still everything that there is to know", async () => {
  const recording = inRepo("test/fixtures/recordings/nginx.l7prof");
  const screen = openScreen(["replay", recording], { env: { NO_COLOR: "1" } });
  const lines = await screen.until(/ENDED/);
  expect(lines.some((line) => line.startsWith("> "))).toBe(true);
  expect(lines[1]).toContain("[2 Endpoints]");
  await quit(screen);
});

async function quit(screen: Screen): Promise<void> {
  screen.keys("q");
  expect((await screen.exited()).code).toBe(0);
}
