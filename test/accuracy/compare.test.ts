import { expect, test } from "vitest";
import { type Account, exchange, exchangeOfLine, repeat, together } from "../../accuracy/account.ts";
import { durationGaps, firstDifference } from "../../accuracy/compare.ts";

function account(by: string, exchanges: Account["exchanges"], more: Partial<Account> = {}): Account {
  return { by, exchanges, ...more };
}

const page = exchange("GET", "/page?n=1", 200, { requestBytes: 80, responseBytes: 900 });

test("the same exchanges in another order do not differ", () => {
  const other = exchange("POST", "/x", 201);
  expect(firstDifference(account("a", [page, other]), account("b", [other, page]))).toBeNull();
});

test("an exchange that one of them lacks is named", () => {
  const difference = firstDifference(account("the log", repeat(3, page)), account("l7prof", repeat(2, page)));
  expect(difference).toBe("GET /page?n=1 200: the log 3× of 3, l7prof 2× of 2");
});

test("another method, URI or status is named", () => {
  for (const other of [
    exchange("PUT", "/page?n=1", 200),
    exchange("GET", "/page?n=2", 200),
    exchange("GET", "/page?n=1", 500),
  ])
    expect(firstDifference(account("a", [page]), account("b", [other]))).toBe("GET /page?n=1 200: a 1×, b 0×");
});

test("a size differs by one byte: both sizes are named", () => {
  const shorter = { ...page, responseBytes: 899 };
  const [a, b] = [account("a", repeat(5, page)), account("b", [...repeat(4, page), shorter])];
  expect(firstDifference(a, b)).toBe("GET /page?n=1 200: a request 80 B response 900 B, b request 80 B response 899 B");
});

test("what one of them does not know is not compared", () => {
  const withoutSizes = account("b", [exchange("GET", "/page", 200)], { uris: "path" });
  expect(firstDifference(account("a", [page]), withoutSizes)).toBeNull();
});

test("sums are compared where one of them knows no more", () => {
  const summary = account("b", [exchange("GET", "/page", 200)], { uris: "path", totals: { responseBytes: 901 } });
  expect(firstDifference(account("a", [page]), summary)).toBe("responseBytes in all: a 900, b 901");
});

test("durations are paired by length within an URI", () => {
  const took = (durationMs: number) => ({ ...page, durationMs });
  const [a, b] = [account("a", [took(5), took(1)]), account("b", [took(2), took(5)])];
  expect(durationGaps(a, b)).toEqual([-1, 0]);
});

test("a line of a log, with what it does not know", () => {
  expect(exchangeOfLine("GET\t/x?n=1\t200\t-\t12\t0.5", 1000)).toEqual(
    exchange("GET", "/x?n=1", 200, { responseBytes: 12, durationMs: 500 }),
  );
});

test("two accounts together know what both know", () => {
  const both = together("both", account("a", [page]), account("b", [page], { uris: "path" }));
  expect(both).toEqual({ by: "both", exchanges: [page, page], uris: "path" });
});
