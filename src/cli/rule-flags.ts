/**
 * The sampling rules from the order of the command line: `--uri-regex` opens a rule, the flags after it belong to it,
 * those before the first one to the default rule.
 */
import type { Command } from "commander";
import type { SamplingRule } from "../core/profile/start.ts";
import { durationMs, oneOf, type Reader, sizeBytes } from "./values.ts";

/** Call before parsing; the answer reads the rules afterwards, the default rule last. */
export function collectRules(program: Command): () => readonly SamplingRule[] {
  const byDefault: RuleFlags = {};
  const byRegex: RuleFlags[] = [];
  // Commander keeps one value per option, which loses the order; its events come in it.
  const on = <K extends keyof RuleFlags>(flag: string, key: K, read: Reader<NonNullable<RuleFlags[K]>>): void => {
    program.on(`option:${flag}`, (text: string) => {
      (byRegex.at(-1) ?? byDefault)[key] = read(`--${flag}`, text);
    });
  };
  program.on("option:uri-regex", (uriRegex: string) => byRegex.push({ uriRegex }));
  on("slow", "slowMs", durationMs);
  on("4xx", "on4xx", () => true);
  on("5xx", "on5xx", () => true);
  on("keep", "keep", oneOf(["request", "response", "both", "none"]));
  on("max-request-size", "maxRequestBytes", sizeBytes);
  on("max-response-size", "maxResponseBytes", sizeBytes);
  return () => [...byRegex, byDefault].map(ruleOf);
}

type RuleFlags = { -readonly [K in keyof SamplingRule]?: SamplingRule[K] };

function ruleOf(flags: RuleFlags): SamplingRule {
  const conditions = { slowMs: flags.slowMs ?? null, on4xx: flags.on4xx ?? false, on5xx: flags.on5xx ?? false };
  const hasNone = conditions.slowMs === null && !conditions.on4xx && !conditions.on5xx;
  return {
    uriRegex: flags.uriRegex ?? null,
    ...(hasNone ? { slowMs: 1000, on4xx: true, on5xx: true } : conditions),
    keep: flags.keep ?? "both",
    maxRequestBytes: flags.maxRequestBytes ?? 2048,
    maxResponseBytes: flags.maxResponseBytes ?? 2048,
  };
}
