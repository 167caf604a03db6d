/**
 * A case is test/fixtures/output/<name>.json: `{groupBy?, parts: [{start|metrics|sample|warning|summary: …}, …]}`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { GroupBy, ViewConfig } from "../../src/config.ts";
import type { Sample } from "../../src/core/profile/sample.ts";
import type { Start } from "../../src/core/profile/start.ts";
import type { Summary, Warning, Window } from "../../src/core/profile/window.ts";
import { outputs } from "../../src/output/index.ts";
import type { Output } from "../../src/output/output.ts";
import { inRepo } from "../support/paths.ts";

export interface Parts {
  readonly start: Start;
  readonly metrics: Window;
  readonly sample: Sample;
  readonly warning: Warning;
  readonly summary: Summary;
}

export interface Fixture {
  readonly groupBy?: GroupBy;
  readonly parts: readonly Partial<Parts>[];
}

export const fixturesUrl = pathToFileURL(inRepo("test/fixtures/output/"));

export const fixtureNames = readdirSync(fixturesUrl)
  .filter((file) => file.endsWith(".json"))
  .map((file) => file.slice(0, -".json".length));

export function readFixture(name: string): Fixture {
  return JSON.parse(readFileSync(new URL(`${name}.json`, fixturesUrl), "utf8"));
}

export function view(over: Partial<ViewConfig> = {}): ViewConfig {
  return {
    format: "text",
    outputFile: null,
    intervalMs: 1000,
    groupBy: "endpoint",
    histograms: false,
    tcp: false,
    color: false,
    columns: 80,
    ...over,
  };
}

export function render({ parts, groupBy = "endpoint" }: Fixture, over: Partial<ViewConfig> = {}): string {
  const chosen = view({ groupBy, ...over });
  const output = outputs[chosen.format](chosen);
  return parts.map((part) => renderPart(output, part)).join("");
}

function renderPart(output: Output, part: Partial<Parts>): string {
  const texts = [
    part.start && output.start(part.start),
    part.metrics && output.metrics(part.metrics),
    part.sample && output.sample(part.sample),
    part.warning && output.warning(part.warning),
    part.summary && output.summary(part.summary),
  ];
  return texts.filter((text) => text !== undefined).join("");
}
