/** The prose of --help, 80 columns wide; the options are in program.ts, the whole story in docs/l7prof.1. */

export const USAGE = `[target] [options]
       l7prof [options] -- CMD ARG…
       l7prof replay FILE [options]
       l7prof doctor [--json]`;

export const RULES_NOTES = `
Rules:
  --uri-regex opens a rule, and the sampling flags after it belong to it; those
  before the first one make the default rule. The first rule that matches wins.
  A rule with none of --slow, --4xx and --5xx samples exchanges that took 1s or
  more, 4xx and 5xx.

Durations: 250ms, 1.5s, 2m; a bare number is milliseconds.
Sizes: bytes, or 4k, 16MiB.
`;

export const EXAMPLES = `
Examples:
  What nginx serves and calls, live:
    l7prof --comm nginx
  5xx anywhere; below /api/ also 4xx and what takes 100 ms or more:
    l7prof -p 1234 --5xx --uri-regex '^/api/' --slow 100ms --4xx --5xx
  The summary of ten seconds of port 8080:
    l7prof --all --port 8080 --duration 10s --interval 0
  Samples for a script:
    l7prof -p 1234 --json | jq 'select(.type=="sample")'
  Start a program, profile it and its children:
    l7prof -- node server.js
  Record now, look later:
    l7prof --all --record run.l7 --duration 1m
    l7prof replay run.l7 --slow 50ms

Exit codes: 0 finished, 1 it could not run, 2 the command line is wrong.
`;

export const REPLAY_NOTES = `
The options of sampling and views, --duration and --count work as they do live:
see l7prof --help.

Example:
  l7prof replay run.l7 --slow 50ms --group-by host
`;

export const DOCTOR_NOTES = `
  --json           as one JSON object
  -p, --pid <pid>  look at this process, too; repeatable
  --no-color       no colour

Exit code: 1 if something is blocked, 0 otherwise.
`;
