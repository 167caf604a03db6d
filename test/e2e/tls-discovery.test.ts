/** Which files are probed for TLS, and when: programs that start while l7prof looks, containers of one image. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { expect, test } from "vitest";
import type { Summary } from "../../src/core/profile/window.ts";
import { tallyOfAccessLog } from "../support/access-log.ts";
import { uprobeLinksOf } from "../support/bpf.ts";
import { createCertificate } from "../support/certificate.ts";
import { startChild } from "../support/child.ts";
import { onCleanup } from "../support/cleanup.ts";
import { buildGo } from "../support/go.ts";
import { expectHttps } from "../support/https.ts";
import { edgesOf, exactly, l7prof, profile, type Run, startL7prof } from "../support/l7prof.ts";
import { type Nginx, startNginx } from "../support/nginx.ts";
import { temporaryDirectory } from "../support/paths.ts";
import { startServer } from "../support/servers.ts";
import { type Tally, tallyOf } from "../support/tally.ts";
import { until } from "../support/until.ts";

function startSecureNginx() {
  return startNginx({ tls: { certificate: createCertificate(), protocols: "TLSv1.3" } });
}

/** A shell that becomes the program once it is told to, perhaps with a root of its own. */
async function startShell(command: readonly string[], root = "/") {
  const script = 'echo waiting; read -r _; echo started; exec "$@"';
  const shell = startChild("unshare", ["--mount", `--root=${root}`, "sh", "-c", script, "sh", ...command]);
  await shell.line(/^waiting$/);
  return { ...shell, start: () => shell.ask("start", /^started$/) };
}

/** As if the machine had no time for it, while `work` is done. */
async function whileStopped<T>({ signal }: Run, work: () => Promise<T>): Promise<T> {
  signal("SIGSTOP");
  const result = await work();
  signal("SIGCONT");
  return result;
}

/** Its 7 requests, though l7prof looks only after the program that the shell becomes has ended. */
async function expectAllSeen(shell: Awaited<ReturnType<typeof startShell>>, nginx: Nginx) {
  const run = await startL7prof([...exactly, "--pid", `${shell.pid}`]);
  await whileStopped(run, async () => {
    await shell.start();
    await shell.exited;
  });
  const { summary, warnings } = await run.finished();
  expectHttps(summary);
  expect(warnings).toEqual([]);
  expect(tallyOf(summary.edges)).toEqual(tallyOfAccessLog(await nginx.accessLog(7)));
}

test("-- ./PROGRAM, which has Go's own TLS: from its first request on", async () => {
  const nginx = await startSecureNginx();
  const program = await buildGo("stripped");
  const file = join(temporaryDirectory(), "profile.ndjson");
  const command = [`./${basename(program)}`, "client", `${nginx.port}`, "/hello", "211", "5", "once"];
  const options = { cwd: dirname(program) };
  const { code, stderr } = await l7prof([...exactly, "--json", "-o", file, "--", ...command], options);
  expect([code, stderr]).toEqual([0, ""]);
  const summary = JSON.parse(readFileSync(file, "utf8").trim().split("\n").at(-1)!) as Summary;
  expectHttps(summary);
  expect(tallyOf(summary.edges)).toEqual(tallyOfAccessLog(await nginx.accessLog(211)));
});

test("Node, which a shell finds on its PATH, is probed before it starts", async () => {
  const nginx = await startSecureNginx();
  const ask = `process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    for (let n = 0; n < 7; n++) await (await fetch("https://127.0.0.1:${nginx.port}/hello")).text();`;
  const shell = await startShell(["node", "--no-warnings", "--input-type=module", "-e", ask]);
  await expectAllSeen(shell, nginx);
});

test("a program that asks before its library is probed: the rest counts, and what is missing is said", async () => {
  const nginx = await startSecureNginx();
  const client = await startShell([await buildGo("stripped"), "client", `${nginx.port}`, "/hello", "101", "1"]);
  const run = await startL7prof(["--raw-uris", "--interval", "200ms", "--pid", `${client.pid}`]);
  const links = uprobeLinksOf(run.pid);
  const get = async () => JSON.parse((await client.ask("go", /^\{.*/))[0]) as Tally;
  const before = await whileStopped(run, async () => {
    await client.start();
    return get();
  });
  await until("l7prof attaches to the program", () => uprobeLinksOf(run.pid) > links);
  const windows = () => run.lines().filter(({ type }) => type === "metrics").length;
  const begun = windows();
  await until("it has done so, and gone on", () => windows() >= begun + 2);
  const after = await get();
  const { summary, warnings } = await run.finish();
  expect(tallyOf(edgesOf(summary, "client"))).toEqual({
    exchanges: { "GET /hello 200": 101 },
    requestBytes: after.requestBytes - before.requestBytes,
    responseBytes: after.responseBytes - before.responseBytes,
  });
  expect(summary.capture).toMatchObject({ exchanges: 101, unansweredRequests: 0, orphanResponses: 0 });
  expect(summary.capture.coverage).toBeLessThan(0.7);
  expect(summary.unreadableTls).toBeUndefined();
  const said = new Map(warnings.map(({ code, message }) => [code, message]));
  expect(said.has("coverage")).toBe(true);
  expect(said.get("tls-late")).toMatch(`https-stripped[${client.pid}] port ${nginx.port} had a TLS session before`);
});

/** A directory that shows the files of another, as a container does those of its image. */
function mountOverlay(lower: string): string {
  const directory = temporaryDirectory();
  execFileSync("mount", ["-t", "tmpfs", "l7prof-test", directory]);
  onCleanup(() => execFileSync("umount", [directory]));
  const [upper, work, merged] = ["upper", "work", "merged"].map((name) => join(directory, name));
  for (const made of [upper!, work!, merged!]) mkdirSync(made);
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  execFileSync("mount", ["-t", "overlay", "l7prof-test", "-o", options, merged!]);
  onCleanup(() => execFileSync("umount", [merged!]));
  return merged!;
}

test("a container's own library is probed before a program of the container starts with it", async () => {
  const nginx = await startSecureNginx();
  const root = mountOverlay("/");
  const libraries = execFileSync("ldconfig", ["-p"], { encoding: "utf8" });
  const library = realpathSync(/libssl\.so\.3 .*=> (.*)/.exec(libraries)![1]!);
  rmSync(join(root, library));
  copyFileSync(library, join(root, library));
  const shell = await startShell(
    ["curl", "-sk", ...Array<string>(7).fill(`https://127.0.0.1:${nginx.port}/hello`)],
    root,
  );
  await expectAllSeen(shell, nginx);
});

test("containers of one image, each of which sees it through a file system of its own: its files are probed once", async () => {
  const nginx = await startSecureNginx();
  const image = temporaryDirectory();
  copyFileSync(await buildGo("stripped"), join(image, "client"));
  const clients = await Promise.all(
    [1, 2, 3].map(() =>
      startServer(join(mountOverlay(image), "client"), ["client", `${nginx.port}`, "/hello", "101", "7"]),
    ),
  );
  const targets = clients.flatMap(({ pid }) => ["--pid", `${pid}`]);
  const tallies: Tally[] = [];
  const { summary } = await profile(targets, async () => {
    for (const client of clients) tallies.push(JSON.parse((await client.ask("go", /^\{.*/))[0]) as Tally);
  });
  expectHttps(summary);
  expect(clients.map(({ pid }) => tallyOf(edgesOf(summary, "client", [pid])))).toEqual(tallies);
  const { stdout } = await l7prof(["doctor", ...targets]);
  expect(stdout.match(/Go crypto\/tls \(.*?\)/g)).toHaveLength(1 + clients.length); // in the list once, and for each
});
