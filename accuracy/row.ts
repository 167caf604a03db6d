/** What all parties say of one pair, put next to each other: a row of the table. */
import type { Result } from "../test/support/l7prof.ts";
import { type Account, together } from "./account.ts";
import { durationGaps, firstDifference, totalOf } from "./compare.ts";
import { accountsOf, joinedConnectionsOf, problemOf, protocolsOf } from "./l7prof.ts";

export interface Row {
  readonly server: string;
  readonly client: string;
  readonly exchanges: number;
  /** Between the server and what it passes requests on to. */
  readonly upstream: number | null;
  readonly requestBytes: Size;
  readonly responseBytes: Size;
  /** Null if the log has none that can be compared. */
  readonly durations: Durations | null;
  /** Exchanges that lie within what the client's own clock says; null if it does not say. */
  readonly withinClient: number | null;
  /** The first difference, or null: all agree. */
  readonly difference: string | null;
}

/** As l7prof counted it, and whether somebody else did. */
export interface Size {
  readonly bytes: number;
  readonly isChecked: boolean;
}

/** How far l7prof's and the log's are apart. */
export interface Durations {
  readonly withinMs: number;
  /** Of the exchanges, that are within that. */
  readonly share: number;
  readonly worstMs: number;
}

export interface Evidence {
  readonly server: string;
  /** Between client and server. */
  readonly protocol: "http" | "https";
  /** So many connections of the client were open before l7prof looked; 0: it does not matter. */
  readonly joined: number;
  readonly isPipelining: boolean;
  readonly work: Account;
  readonly client: Account;
  readonly log: Account;
  readonly originLog: Account | null;
  /** The server may close a connection on which the client has asked again; it does not read that. */
  readonly closesUnannounced: boolean;
  readonly views: { readonly server: Result; readonly client: Result; readonly both: Result };
}

export function rowOf(evidence: Evidence): Row {
  const { server, client, log, originLog, views } = evidence;
  const asked = accountsOf(views.client, "client", "--pid client").samples;
  const { samples } = accountsOf(views.server, "server", "--pid server");
  const size = (field: "requestBytes" | "responseBytes") => ({
    bytes: totalOf(samples, field) ?? 0,
    isChecked: [client, log].some((account) => totalOf(account, field) !== null),
  });
  const durations = evidence.isPipelining ? null : durationsOf(log, samples);
  return {
    server,
    client: client.by,
    exchanges: client.exchanges.length,
    upstream: originLog?.exchanges.length ?? null,
    requestBytes: size("requestBytes"),
    responseBytes: size("responseBytes"),
    durations,
    withinClient: client.isTimed ? client.exchanges.length - longerThanClient(client, asked).length : null,
    difference: problemOfViews(evidence) ?? differenceOf(evidence) ?? differenceOfClocks(client, asked),
  };
}

/** The client did not get through, or something else did not. */
export function failedRow(server: string, client: string, { message }: Error): Row {
  const nothing = { bytes: 0, isChecked: false };
  const difference = message.split("\n").slice(0, 2).join(" ");
  return {
    ...{ server, client, exchanges: 0, upstream: null, durations: null, withinClient: null, difference },
    ...{ requestBytes: nothing, responseBytes: nothing },
  };
}

function problemOfViews({ views, protocol, joined, closesUnannounced }: Evidence): string | null {
  return (
    problemOf(views.server, "--pid server") ??
    problemOf(views.client, "--pid client", closesUnannounced) ??
    problemOf(views.both, "--cgroup", closesUnannounced) ??
    problemOfProtocol(protocolsOf(views.server, "server"), protocol) ??
    problemOfProtocol(protocolsOf(views.client, "client"), protocol) ??
    problemOfJoined(joinedConnectionsOf(views.client), joined)
  );
}

function problemOfProtocol(seen: readonly string[], protocol: string): string | null {
  const other = seen.find((one) => one !== protocol);
  return other === undefined ? null : `l7prof takes ${protocol} for ${other}`;
}

function problemOfJoined(seen: number, joined: number): string | null {
  return joined === 0 || seen === joined ? null : `${seen} connections were open before l7prof looked, not ${joined}`;
}

function differenceOf(evidence: Evidence): string | null {
  for (const [a, b] of whatMustBeEqual(evidence)) {
    const difference = firstDifference(a, b);
    if (difference !== null) return difference;
  }
  return null;
}

function whatMustBeEqual({ client, work, log, originLog, views }: Evidence): readonly (readonly [Account, Account])[] {
  const serverSide = accountsOf(views.server, "server", "--pid server");
  const clientSide = accountsOf(views.client, "client", "--pid client");
  const upstream = accountsOf(views.server, "client", "--pid server");
  const asServer = accountsOf(views.both, "server", "--cgroup");
  const asClient = accountsOf(views.both, "client", "--cgroup");
  const served = originLog ? together("both logs", log, originLog) : log;
  const asked = originLog ? together("client and upstream log", client, originLog) : client;
  return [
    ...[[work, client] as const, [client, log] as const],
    ...[serverSide.samples, serverSide.summary].map((seen) => [log, seen] as const),
    ...[serverSide.samples, serverSide.summary].map((seen) => [client, seen] as const),
    ...[clientSide.samples, clientSide.summary].map((seen) => [client, seen] as const),
    ...(originLog ? [upstream.samples, upstream.summary].map((seen) => [originLog, seen] as const) : []),
    ...[asServer.samples, asServer.summary].map((seen) => [served, seen] as const),
    ...[asClient.samples, asClient.summary].map((seen) => [asked, seen] as const),
    ...[[asServer.samples, asClient.samples] as const, [asServer.summary, asClient.summary] as const],
  ];
}

/** Servers read their clock a little before or after the call that l7prof sees. */
const LEAST_RESOLUTION_MS = 1;

function durationsOf(log: Account, samples: Account): Durations | null {
  if (log.resolutionMs === undefined) return null;
  const withinMs = Math.max(log.resolutionMs, LEAST_RESOLUTION_MS);
  const gaps = durationGaps(log, samples).map(Math.abs);
  return {
    withinMs,
    share: gaps.filter((gap) => gap <= withinMs).length / gaps.length,
    worstMs: gaps.reduce((worst, gap) => Math.max(worst, gap), 0),
  };
}

/** Both round to a microsecond. */
const ROUNDING_MS = 0.002;

/**
 * By how much l7prof's durations on the client's side are longer than those by the client's own clock, in ms. None may be:
 * the client reads it before it writes the request and after it has read the response.
 */
function longerThanClient(client: Account, asked: Account): readonly number[] {
  return durationGaps(client, asked).filter((gap) => !(gap >= -ROUNDING_MS));
}

function differenceOfClocks(client: Account, asked: Account): string | null {
  const [longer] = client.isTimed ? longerThanClient(client, asked) : [];
  return longer === undefined ? null : `durations: by ${-longer} ms longer than by the client's own clock`;
}
