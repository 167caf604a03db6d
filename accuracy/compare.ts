/** Two accounts of the same exchanges must be equal in everything that both of them know. */
import type { Account, Exchange } from "./account.ts";

type SizeField = "requestBytes" | "responseBytes";

/** Equal for exchanges that are the same. */
type Naming = (exchange: Exchange) => string;

/** The first difference in words, or null. */
export function firstDifference(a: Account, b: Account): string | null {
  const name = nameFor(a, b);
  return differenceOfCounts(name, a, b) ?? differenceOfSizes(name, a, b) ?? differenceOfTotals(a, b);
}

function differenceOfCounts(nameOf: Naming, a: Account, b: Account): string | null {
  const [total, inA, inB] = [a.exchanges.length - b.exchanges.length, countBy(a, nameOf), countBy(b, nameOf)];
  const found = [...inA.keys(), ...inB.keys()].find((name) => inA.get(name) !== inB.get(name));
  if (found === undefined) return null;
  const of = total === 0 ? ["", ""] : [` of ${a.exchanges.length}`, ` of ${b.exchanges.length}`];
  return `${found}: ${a.by} ${inA.get(found) ?? 0}×${of[0]}, ${b.by} ${inB.get(found) ?? 0}×${of[1]}`;
}

function differenceOfSizes(nameOf: Naming, a: Account, b: Account): string | null {
  const sizes = sizesKnownTo(nameOf, a, b);
  const full: Naming = (exchange) => `${nameOf(exchange)}: ${sizes(exchange)}`;
  const [inA, inB] = [countBy(a, full), countBy(b, full)];
  const isMore = (exchange: Exchange) => (inA.get(full(exchange)) ?? 0) > (inB.get(full(exchange)) ?? 0);
  const found = a.exchanges.find(isMore);
  if (found === undefined) return null;
  const isOther = (exchange: Exchange) =>
    nameOf(exchange) === nameOf(found) && (inB.get(full(exchange)) ?? 0) > (inA.get(full(exchange)) ?? 0);
  return `${nameOf(found)}: ${a.by} ${sizes(found)}, ${b.by} ${sizes(b.exchanges.find(isOther)!)}`;
}

/** What makes exchanges of both the same. */
function nameFor(a: Account, b: Account): Naming {
  const uris = [a.uris, b.uris];
  if (uris.includes("none")) return ({ status }) => `${status}`;
  if (uris.includes("path")) return ({ method, uri, status }) => `${method} ${uri.split("?")[0]} ${status}`;
  return ({ method, uri, status }) => `${method} ${uri} ${status}`;
}

/** The sizes, as far as both know them of every exchange of that name. */
function sizesKnownTo(nameOf: Naming, a: Account, b: Account): Naming {
  const all = [...a.exchanges, ...b.exchanges];
  const unknown = (field: SizeField) => new Set(all.filter((exchange) => exchange[field] === null).map(nameOf));
  const [ofRequests, ofResponses] = [unknown("requestBytes"), unknown("responseBytes")];
  return (exchange) => {
    const name = nameOf(exchange);
    const request = ofRequests.has(name) ? [] : [`request ${exchange.requestBytes} B`];
    return [...request, ...(ofResponses.has(name) ? [] : [`response ${exchange.responseBytes} B`])].join(" ");
  };
}

function differenceOfTotals(a: Account, b: Account): string | null {
  for (const field of ["requestBytes", "responseBytes"] as const) {
    const [inA, inB] = [totalOf(a, field), totalOf(b, field)];
    if (inA !== null && inB !== null && inA !== inB) return `${field} in all: ${a.by} ${inA}, ${b.by} ${inB}`;
  }
  return null;
}

/** Null if it does not know. */
export function totalOf(account: Account, field: SizeField): number | null {
  const total = account.totals?.[field];
  if (total !== undefined) return total;
  return knows(account, field) ? account.exchanges.reduce((sum, exchange) => sum + exchange[field]!, 0) : null;
}

function knows({ exchanges }: Account, field: SizeField): boolean {
  return exchanges.length > 0 && exchanges.every((exchange) => exchange[field] !== null);
}

/**
 * How far the durations of `a` and `b` are apart, in ms. Those of one method, URI and status are compared in the order of
 * their length: if there is a pairing within some bound, that is one.
 */
export function durationGaps(a: Account, b: Account): readonly number[] {
  const name = nameFor(a, b);
  const inB = durationsBy(name, b);
  return [...durationsBy(name, a)].flatMap(([what, durations]) =>
    durations.map((duration, i) => duration - (inB.get(what)?.[i] ?? Number.NaN)),
  );
}

function durationsBy(nameOf: Naming, { exchanges }: Account): ReadonlyMap<string, readonly number[]> {
  const byName = [...groupBy(exchanges, nameOf)];
  return new Map(
    byName.map(([name, list]) => [
      name,
      list.map(({ durationMs }) => durationMs ?? Number.NaN).toSorted((x, y) => x - y),
    ]),
  );
}

function groupBy(exchanges: readonly Exchange[], nameOf: Naming): ReadonlyMap<string, readonly Exchange[]> {
  const groups = new Map<string, Exchange[]>();
  for (const exchange of exchanges) {
    const name = nameOf(exchange);
    const group = groups.get(name);
    if (group) group.push(exchange);
    else groups.set(name, [exchange]);
  }
  return groups;
}

function countBy({ exchanges }: Account, nameOf: Naming): ReadonlyMap<string, number> {
  return new Map([...groupBy(exchanges, nameOf)].map(([name, group]) => [name, group.length]));
}
