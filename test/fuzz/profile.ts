/** The whole line, from records to what a user sees. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import type { Capture } from "../../src/core/profile/window.ts";
import { type Live, record, replay } from "../recording/session.ts";
import { inRepo } from "../support/paths.ts";
import { check, type Fuzzed, same } from "./property.ts";
import { play, type Script, script } from "./script.ts";

export const ACTS_ON_A_TERMINAL = /[^\P{C}\n]|[\p{Zl}\p{Zp}]/u;
/** A regex that would hang an engine that backtracks is the first rule. */
const RULES =
  "--max-samples-per-second 1000 --slow 0 --uri-regex '^/((u+)+)+$' --slow 0 --4xx --uri-regex x --keep none --slow 0";

const schema = JSON.parse(readFileSync(inRepo("schema/l7prof.schema.json"), "utf8"));
const validate = new Ajv2020({ allowUnionTypes: true }).compile(schema);

interface Line {
  readonly type: string;
  readonly capture: Capture;
  readonly edges: readonly { readonly requests: number; readonly inFlight: number }[];
}

export const ndjson: Fuzzed = {
  name: "profiler: NDJSON obeys the schema, and the counts add up",
  testRuns: 150,
  property: () =>
    fc.property(
      script,
      fc.constantFrom("", "--group-by host --histograms", "--raw-uris --interval 0", "--show-secrets"),
      (script, flags) => {
        checkLines(run(script, `--json ${RULES} ${flags}`).output);
      },
    ),
};

export const text: Fuzzed = {
  name: "profiler: the text output holds nothing that acts on a terminal",
  testRuns: 100,
  property: () =>
    fc.property(
      script,
      fc.constantFrom("", "--group-by host", "--group-by status --interval 200ms"),
      (script, flags) => {
        const { output } = run(script, `--plain ${RULES} ${flags}`);
        same(ACTS_ON_A_TERMINAL.exec(output)?.[0] ?? null, null, "acts on a terminal:");
        check(output.includes("CAPTURE"), "no summary");
      },
    ),
};

export const graphs: Fuzzed = {
  name: "profiler: nor do the outputs of who called whom",
  testRuns: 60,
  property: () =>
    fc.property(script, fc.constantFrom("--topology", "--dot", "--mermaid"), (script, flag) => {
      const { output } = run(script, flag);
      same(ACTS_ON_A_TERMINAL.exec(output)?.[0] ?? null, null, "acts on a terminal:");
    }),
};

export const replayed: Fuzzed = {
  name: "recording: replayed, it says what was said live",
  testRuns: 80,
  property: () =>
    fc.asyncProperty(script, async (script) => {
      const live = run(script, `--json ${RULES} --interval 0`);
      const again = await replay(live.bytes, `--json ${RULES} --interval 0`);
      same(String(again.error), "undefined", "an error:");
      same(ofSummary(again.output), ofSummary(live.output), "replayed, live");
    }),
};

function run(script: Script, flags: string) {
  const act = ({ wire, session }: Live) => {
    play(wire, script);
    session.onTick(wire.timeNs);
  };
  return record(act, flags, true);
}

function checkLines(output: string): void {
  same(ACTS_ON_A_TERMINAL.exec(output)?.[0] ?? null, null, "acts on a terminal:");
  check(Buffer.from(output).toString() === output, "not well-formed UTF-8");
  const lines = output.trimEnd().split("\n");
  for (const line of lines) {
    check(validate(JSON.parse(line)), "not as the schema says:", validate.errors, line);
  }
  const last = JSON.parse(lines.at(-1)!) as Line;
  same(last.type, "summary", "the last line");
  checkCounts(last);
}

function checkCounts({ capture, edges }: Line): void {
  const { requests, responses, exchanges, unansweredRequests, orphanResponses } = capture;
  same(requests, exchanges + unansweredRequests, "requests, exchanges + unanswered");
  check(exchanges + orphanResponses <= responses, "more paired and orphan than there were responses", capture);
  check(capture.capturedBytes <= capture.seenBytes, "more bytes captured than seen", capture);
  const counted = edges.reduce((sum, edge) => sum + edge.requests, 0);
  same(counted, exchanges, "counted at edges, exchanges");
  check(
    edges.every(({ inFlight }) => inFlight === 0),
    "in flight on a closed connection",
    edges,
  );
}

function ofSummary(output: string) {
  const { capture, edges } = JSON.parse(output.trimEnd().split("\n").at(-1)!) as Line;
  return { capture, edges };
}
