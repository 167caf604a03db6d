/** The queue before a backend: bounded, patient, and honest about what it gave up. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { Delivery, type DeliveryLimits, RejectedError } from "../../src/export/delivery.ts";
import { postJson } from "../../src/export/post.ts";
import { until } from "../support/until.ts";

const QUICK: Partial<DeliveryLimits> = { firstWaitMs: 5, longestWaitMs: 20, graceMs: 150, attemptMs: 100 };

function delivery(send: (batch: readonly number[], signal: AbortSignal) => Promise<void>, limits = {}) {
  const troubles: string[] = [];
  const of = new Delivery<number>({
    what: "numbers",
    send,
    onTrouble: (message) => troubles.push(message),
    limits: { ...QUICK, ...limits },
  });
  return { of, troubles };
}

describe("a delivery", () => {
  it("sends what is put in, in order, in batches", async () => {
    const batches: number[][] = [];
    const { of, troubles } = delivery(async (batch) => void batches.push([...batch]), { batchItems: 3 });
    for (let i = 0; i < 7; i++) of.put(i);
    expect(await of.end()).toEqual({ what: "numbers", sent: 7, givenUp: 0, why: "" });
    expect(batches).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    expect(troubles).toEqual([]);
  });

  it("sends a batch again until it is taken, and says once that it has trouble", async () => {
    let attempts = 0;
    const { of, troubles } = delivery(async () => {
      if (++attempts < 4) throw new Error("no");
    });
    of.put(1);
    await until("it is taken", () => attempts === 4);
    expect(await of.end()).toMatchObject({ sent: 1, givenUp: 0 });
    expect(troubles).toEqual(["no; trying again"]);
  });

  it("gives up at once what the backend will never take, and goes on with the rest", async () => {
    const taken: number[] = [];
    const { of, troubles } = delivery(
      async ([item]) => {
        if (item === 1) throw new RejectedError("HTTP 400");
        taken.push(item!);
      },
      { batchItems: 1 },
    );
    for (const item of [0, 1, 2]) of.put(item);
    expect(await of.end()).toEqual({ what: "numbers", sent: 2, givenUp: 1, why: "HTTP 400" });
    expect(taken).toEqual([0, 2]);
    expect(troubles).toEqual(["numbers are being lost: HTTP 400"]);
  });

  it("is bounded: what finds no room is counted", async () => {
    const { of } = delivery(() => Promise.reject(new Error("down")), { items: 10 });
    for (let i = 0; i < 1000; i++) of.put(i);
    expect(await of.end()).toMatchObject({ sent: 0, givenUp: 1000 });
  });

  it("ends in time when a backend takes nothing and does not answer", async () => {
    const { of } = delivery(
      (_, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    );
    of.put(1);
    expect(await of.end()).toEqual({ what: "numbers", sent: 0, givenUp: 1, why: "no answer in time" });
  });

  it("waits at the end for as long as there is progress", async () => {
    const { of } = delivery(() => sleep(60), { batchItems: 1 });
    for (let i = 0; i < 7; i++) of.put(i); // 420 ms, where 150 ms without a success are the end
    expect(await of.end()).toMatchObject({ sent: 7, givenUp: 0 });
  });
});

describe("a backend over HTTP", () => {
  let close = () => {};
  afterEach(() => close());

  async function backend(status: () => number): Promise<string> {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(status()).end("why not\u001b[2J");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    close = () => {
      server.close();
      server.closeAllConnections();
    };
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;
  }

  it.each([
    [202, "taken"],
    [400, "rejected"],
    [404, "rejected"],
    [408, "failed"],
    [429, "failed"],
    [500, "failed"],
    [503, "failed"],
  ])("that answers %i", async (status, outcome) => {
    const url = await backend(() => status);
    const sent = postJson(url, [], new AbortController().signal).then(
      () => "taken",
      (error: Error) => {
        expect(error.message).toBe(`HTTP ${status}: why not [2J`);
        return error instanceof RejectedError ? "rejected" : "failed";
      },
    );
    expect(await sent).toBe(outcome);
  });

  it("that is not there: the word is what the system said", async () => {
    const url = await backend(() => 200);
    close();
    await expect(postJson(url, [], new AbortController().signal)).rejects.toThrow(/ECONNREFUSED/);
  });
});
