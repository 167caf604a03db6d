/** Recordings of real servers and clients, replayed: a new case is NAME.l7prof and NAME.json, which UPDATE_GOLDENS=1 writes. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { replayFile, summaryOf } from "./session.ts";

const directory = new URL("../fixtures/recordings/", import.meta.url);
const names = readdirSync(directory).flatMap((file) => (file.endsWith(".l7prof") ? [file.slice(0, -7)] : []));

describe.each(names)("%s", (name) => {
  const file = fileURLToPath(new URL(`${name}.l7prof`, directory));

  it("gives the edges that it must", async () => {
    const { output, error } = await replayFile(file);
    expect(error).toBeUndefined();
    const { edges } = summaryOf(output);
    const golden = new URL(`${name}.json`, directory);
    if (process.env.UPDATE_GOLDENS) writeFileSync(golden, `${JSON.stringify(edges, null, 1)}\n`);
    expect(edges).toEqual(JSON.parse(readFileSync(golden, "utf8")));
  });

  it("is understood whole", async () => {
    const { output } = await replayFile(file);
    const capture = summaryOf(output).capture as Record<string, number>;
    expect(capture).toMatchObject({
      lostEvents: 0,
      unansweredRequests: 0,
      orphanResponses: 0,
      unparsedMessages: 0,
      coverage: 1,
    });
    expect(capture.exchanges).toBe(capture.requests);
  });

  it("reads as text, too", async () => {
    const { output, error } = await replayFile(file, "--plain --interval 100ms --slow 0");
    expect([error, output.includes("GET")]).toEqual([undefined, true]);
  });

  it("is small", () => {
    expect(statSync(file).size).toBeLessThan(100 * 1024);
  });
});
