/** What l7prof says, from one of the places that it can look from. Nothing but its output is used. */
import { edgesOf, type Result, type Run, startL7prof } from "../test/support/l7prof.ts";
import { type Account, exchange, repeat } from "./account.ts";

export type Side = "server" | "client";

/** Every exchange is a sample, and every sample is printed; three of them on a busy machine need room. */
const everything = [
  ...["--slow", "0", "--max-samples-per-second", "10000000", "--raw-uris", "--interval", "0"],
  ...["--buffer-size", "64MiB"],
];

export function startView(target: readonly string[], more: readonly string[] = []): Promise<Run> {
  return startL7prof([...target, ...everything, ...more]);
}

/** One account from its samples, one from its summary: what it printed of each exchange, and what it counted. */
export function accountsOf(result: Result, side: Side, view: string): { samples: Account; summary: Account } {
  return { samples: accountOfSamples(result, side, view), summary: accountOfSummary(result, side, view) };
}

function accountOfSamples({ samples }: Result, side: Side, view: string): Account {
  const exchanges = samples
    .filter((sample) => sample.side === side)
    .map(({ request, response, durationMs }) =>
      exchange(request.method, request.uri, response.status, {
        requestBytes: request.bytes,
        responseBytes: response.bytes,
        durationMs,
      }),
    );
  return { by: `l7prof ${view} (${side} side)`, exchanges };
}

function accountOfSummary({ summary }: Result, side: Side, view: string): Account {
  const endpoints = edgesOf(summary, side).flatMap((edge) => edge.endpoints);
  const exchanges = endpoints.flatMap(({ method, uri, statuses }) =>
    Object.entries(statuses).flatMap(([status, count]) => repeat(count, exchange(method, uri, Number(status)))),
  );
  const sum = (field: "requestBytes" | "responseBytes") =>
    endpoints.reduce((total, endpoint) => total + endpoint[field].sum, 0);
  return {
    by: `l7prof ${view} summary (${side} side)`,
    exchanges,
    uris: "path",
    totals: { requestBytes: sum("requestBytes"), responseBytes: sum("responseBytes") },
  };
}

/** Of its edges on that side. */
export function protocolsOf({ summary }: Result, side: Side): readonly string[] {
  return edgesOf(summary, side).map(({ protocol }) => protocol);
}

/** How many connections of a client were open before it looked. */
export function joinedConnectionsOf({ summary }: Result): number {
  return edgesOf(summary, "client")
    .flatMap(({ tcp }) => tcp ?? [])
    .reduce((sum, { openConnections, closes, connects }) => sum + openConnections + closes - connects, 0);
}

/** What it says of its own work: nothing was missed, or what was. `asksInVain`: some requests get no answer. */
export function problemOf(
  { code, stderr, summary, warnings }: Result,
  view: string,
  asksInVain = false,
): string | null {
  if (code !== 0) return `l7prof ${view} ended with ${code}: ${stderr}`;
  const { lostEvents, unansweredRequests, orphanResponses, unparsedMessages, coverage } = summary.capture;
  const unanswered = asksInVain ? 0 : unansweredRequests;
  const missed = { lostEvents, unansweredRequests: unanswered, orphanResponses, unparsedMessages };
  const found = Object.entries(missed).find(([, count]) => count !== 0);
  if (found) return `l7prof ${view}: ${found[0]} ${found[1]}`;
  if (coverage !== 1) return `l7prof ${view}: coverage ${coverage}`;
  return warnings[0] ? `l7prof ${view} warns: ${warnings[0].message}` : null;
}
