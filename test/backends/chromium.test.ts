/** Chromium's developer tools import the HAR file, by the code that their network panel runs. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { onCleanup } from "../support/cleanup.ts";
import { startL7prof } from "../support/l7prof.ts";
import { load } from "../support/load.ts";
import { temporaryDirectory } from "../support/paths.ts";
import { startNodeServer } from "../support/servers.ts";
import { until } from "../support/until.ts";

test("the developer tools show the same requests, statuses and times", async () => {
  const file = join(temporaryDirectory(), "run.har");
  const server = await startNodeServer();
  const run = await startL7prof(["--pid", `${server.pid}`, "--slow", "0", "--raw-uris", "--har", file]);
  await load(
    [
      { path: "/hello" },
      { path: "/slow/20" },
      { path: "/upload", method: "POST", body: "x" },
      { path: "/nowhere?a=b" },
    ],
    { port: server.port, count: 23, connections: 1 },
  );
  const { samples } = await run.finish();

  const tools = await openDeveloperTools();
  const imported = await tools.evaluate<[string, string, number, number][]>(`
    import("devtools://devtools/bundled/models/har/har.js").then(({ HARFormat, Importer }) => {
      const { log } = new HARFormat.HARRoot(${readFileSync(file, "utf8")});
      return Importer.Importer.requestsFromHARLog(log).map((one) => [one.requestMethod, one.url(), one.statusCode, one.duration]);
    })`);
  expect(imported).toEqual(
    samples.map(({ request, response, durationMs }) => [
      request.method,
      `http://127.0.0.1:${server.port}${request.uri}`,
      response.status,
      expect.closeTo(durationMs / 1000, 5), // a double of epoch seconds
    ]),
  );
});

/** Over the DevTools protocol, on a pipe: messages end with NUL. */
async function openDeveloperTools() {
  const chromium = spawn(
    "chromium",
    [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      `--user-data-dir=${temporaryDirectory()}`,
      "--remote-debugging-pipe",
      "about:blank",
    ],
    { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
  );
  onCleanup(() => ended(chromium));
  const [, , , input, output] = chromium.stdio as unknown as Duplex[];
  const waiting = new Map<number, (message: { result: never }) => void>();
  let text = "";
  output!.on("data", (data) => {
    const messages = (text + data).split("\0");
    text = messages.pop()!;
    for (const message of messages.map((one) => JSON.parse(one))) waiting.get(message.id)?.(message);
  });
  let last = 0;
  const send = <T>(method: string, params: object, sessionId?: string) =>
    new Promise<T>((resolve) => {
      const id = ++last;
      waiting.set(id, ({ result }) => resolve(result));
      input!.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  const { targetId } = await send<{ targetId: string }>("Target.createTarget", {
    url: "devtools://devtools/bundled/devtools_app.html",
  });
  const { sessionId } = await send<{ sessionId: string }>("Target.attachToTarget", { targetId, flatten: true });
  const evaluate = async <T>(expression: string) => {
    const { result, exceptionDetails } = await send<{
      result: { value: T };
      exceptionDetails?: { exception?: { description: string } };
    }>("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true }, sessionId);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? JSON.stringify(exceptionDetails));
    return result.value;
  };
  await until(
    "the developer tools are loaded",
    () => evaluate<boolean>("location.protocol === 'devtools:' && document.readyState === 'complete'"),
    60_000,
  );
  return { evaluate };
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}
