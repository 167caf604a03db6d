import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { startL7prof } from "../support/l7prof.ts";
import { load } from "../support/load.ts";
import { inRepo } from "../support/paths.ts";
import { startClient, startNodeServer } from "../support/servers.ts";

const schema = JSON.parse(readFileSync(inRepo("schema/l7prof.schema.json"), "utf8"));

const runs: readonly (readonly string[])[] = [
  [],
  ["--histograms", "--raw-uris"],
  ["--group-by", "host", "--keep", "none"],
  ["--group-by", "status", "--uri-regex", "^/u", "--5xx"],
];

for (const args of runs) {
  test(`every line obeys the schema: ${args.join(" ") || "defaults"}`, async () => {
    const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true, validateFormats: false }).compile(schema);
    const [server, client] = await Promise.all([startNodeServer(), startClient()]);
    const targets = ["--pid", `${server.pid}`, "--pid", `${client.pid}`];
    const run = await startL7prof([...targets, "--interval", "100ms", "--slow", "20ms", "--4xx", "--5xx", ...args]);
    await client.get(server.port, "/users/7", 50);
    const mix = [
      { path: "/slow/30" },
      { path: "/status/500" },
      { path: "/upload", method: "POST", body: "\u00ff\u0000" },
    ];
    await load(mix, { port: server.port, count: 60 });
    await run.waitFor(({ type }) => type === "metrics");
    const { lines } = await run.finish();
    expect(new Set(lines.map(({ type }) => type))).toEqual(new Set(["start", "metrics", "sample", "summary"]));
    for (const line of lines) expect(validate(line) || { errors: validate.errors, line }).toBe(true);
  });
}
