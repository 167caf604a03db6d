/**
 * The sampling rules: which rule an URI belongs to, and for which reasons an exchange is a sample.
 *
 * The regex comes from the user and the URI from the network, so matching is RE2's: linear in the URI whatever the
 * pattern, where a V8 RegExp such as `(a+)+$` can be made to hang by the URI alone.
 */
import { RE2JS } from "re2js";
import { UserError } from "../errors.ts";
import type { SampleReason } from "./profile/sample.ts";
import type { SamplingRule } from "./profile/start.ts";

export interface CompiledRules {
  /** The index of the first rule whose regex is found in `path`, the URI without its query; else of the default rule. */
  match(path: string): number;
}

/** `rules` as in Config: the last is the default rule. Throws UserError `bad-regex`. */
export function compileRules(rules: readonly SamplingRule[]): CompiledRules {
  const regexes = rules.flatMap((rule) => (rule.uriRegex === null ? [] : [compileRegex(rule.uriRegex)]));
  const last = rules.length - 1;
  if (regexes.length === 0) return { match: () => last };
  return {
    match(path) {
      const found = regexes.findIndex((regex) => regex.test(path));
      return found === -1 ? last : found;
    },
  };
}

function compileRegex(regex: string): RE2JS {
  try {
    return RE2JS.compile(regex);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/^error parsing regexp: /, "") : String(cause);
    throw new UserError("bad-regex", `--uri-regex ${regex} is not a regular expression: ${why}`, SYNTAX, {
      exitCode: 2,
      cause,
    });
  }
}

const SYNTAX = "write it in RE2 syntax (no lookaround, no backreferences), in quotes: --uri-regex '^/api/v[0-9]+/'";

/**
 * Why an exchange is a sample under `rule`, or undefined when it is none. Runs once per exchange and allocates
 * nothing: the answers are constants.
 */
export function sampleReasons(
  rule: SamplingRule,
  status: number,
  durationNs: number,
): readonly SampleReason[] | undefined {
  const isSlow = rule.slowMs !== null && durationNs >= rule.slowMs * 1e6;
  if (rule.on4xx && status >= 400 && status < 500) return isSlow ? SLOW_4XX : ONLY_4XX;
  if (rule.on5xx && status >= 500 && status < 600) return isSlow ? SLOW_5XX : ONLY_5XX;
  return isSlow ? ONLY_SLOW : undefined;
}

const ONLY_SLOW = ["slow"] as const;
const ONLY_4XX = ["4xx"] as const;
const ONLY_5XX = ["5xx"] as const;
const SLOW_4XX = ["slow", "4xx"] as const;
const SLOW_5XX = ["slow", "5xx"] as const;
