/** What one party says about the exchanges of a pair: a client, a log, or l7prof. */

export interface Exchange {
  readonly method: string;
  /** As it went over the connection; without its query if `Account.uris` says so. */
  readonly uri: string;
  readonly status: number;
  readonly requestBytes: number | null;
  readonly responseBytes: number | null;
  readonly durationMs: number | null;
}

export interface Account {
  /** Whose word it is, as the table names it. */
  readonly by: string;
  readonly exchanges: readonly Exchange[];
  /** `path`: its URIs are without query. `none`: it does not tell methods and URIs apart. */
  readonly uris?: "path" | "none";
  /** Sums, from who does not know the sizes of each exchange. */
  readonly totals?: Totals;
  /** A client that read its clock before it asked and when it had the answer. */
  readonly isTimed?: boolean;
  /** How finely its durations are counted; absent: they are not to be compared. */
  readonly resolutionMs?: number;
}

export interface Totals {
  readonly requestBytes?: number;
  readonly responseBytes?: number;
}

const UNKNOWN = { requestBytes: null, responseBytes: null, durationMs: null };

/** Exchanges of which no more is known. */
export function exchange(method: string, uri: string, status: number, sizes: Partial<Exchange> = {}): Exchange {
  return { ...UNKNOWN, method, uri, status, ...sizes };
}

export function repeat(count: number, one: Exchange): readonly Exchange[] {
  return Array.from({ length: count }, () => one);
}

/**
 * The line that the servers' logs are configured to have and that our own programs print, separated by tabs: method,
 * URI, status, bytes of the request, bytes of the response, duration; `-` for what is not known.
 */
export function exchangeOfLine(line: string, msPerUnit: number): Exchange {
  const [method = "", uri = "", status, requestBytes, responseBytes, duration] = line.split("\t");
  const number = (text: string | undefined) => (text === undefined || text === "-" || text === "" ? null : +text);
  const units = number(duration);
  return {
    method,
    uri,
    status: Number(status),
    requestBytes: number(requestBytes),
    responseBytes: number(responseBytes),
    durationMs: units === null ? null : units * msPerUnit,
  };
}

/** Both taken together: what one says who sees the two. */
export function together(by: string, a: Account, b: Account): Account {
  const uris = a.uris === "none" || b.uris === "none" ? "none" : (a.uris ?? b.uris);
  return { by, exchanges: [...a.exchanges, ...b.exchanges], ...(uris && { uris }) };
}

/**
 * What a party counts that has the bytes of `HTTP/1.1 100 Continue` among those of the response. To l7prof a response is
 * the final one: interim responses are messages of their own (RFC 9110, 15.2).
 */
export function withoutInterim(account: Account): Account {
  const exchanges = account.exchanges.map((exchange) => ({
    ...exchange,
    responseBytes: exchange.responseBytes === null ? null : exchange.responseBytes - INTERIM_BYTES,
  }));
  return { ...account, exchanges };
}

const INTERIM_BYTES = "HTTP/1.1 100 Continue\r\n\r\n".length;
