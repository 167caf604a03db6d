/** What holds of the pairing on any conversation. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Sample } from "../../src/core/profile/sample.ts";
import { type Call, type Conversation, inTurns, isRightPair, pipelined } from "./conversation.ts";
import { luckOf } from "./luck.ts";
import { imbalance, inFlight, type Profiling, startProfiling } from "./profiling.ts";
import type { WireConnection, WireOptions } from "./wire.ts";

const RUNS = { numRuns: 60 };

type Play = (call: Pick<Call, "kind" | "text">) => void;

/** One end of a connection: the socket's kind, where its streams begin, and which side the process is. */
interface End extends WireOptions {
  readonly side: "server" | "client";
}

const position = fc.integer({ min: 0, max: 0xffff_ffff });
const end: fc.Arbitrary<End> = fc.record({
  side: fc.constantFrom("server", "client"),
  inStart: position,
  outStart: fc.oneof(position, fc.integer({ min: 0xffff_fe00, max: 0xffff_ffff })),
});
const anyEnd: fc.Arbitrary<End> = fc.oneof(
  { weight: 4, arbitrary: end },
  { weight: 1, arbitrary: end.map(({ side }) => ({ side, unix: "/s" })) },
);

function start(end: End): [Profiling, WireConnection, Play] {
  const profiling = startProfiling();
  const connection = profiling.wire.connection(end);
  const play = ({ kind, text }: Pick<Call, "kind" | "text">) => {
    if ((kind === "response") === (end.side === "server")) connection.write(text);
    else connection.read(text);
  };
  return [profiling, connection, play];
}

function wrongPairs({ samples }: Profiling): Sample[] {
  return samples.filter((sample) => !isRightPair(sample));
}

/** All that an exchange says of itself but when it was. */
function timeless({ samples }: Profiling) {
  return samples.map(({ request, response }) => ({ request, response }));
}

describe("nothing is missing: everything pairs", () => {
  it.each([
    ["in turns", inTurns, anyEnd],
    // Nothing tells that a unix socket was new: who joins a pipelined connection must wait for a pause.
    ["pipelined", pipelined, end],
  ])("%s", (_, conversations, ends) => {
    fc.assert(
      fc.property(conversations, ends, (conversation, end) => {
        const [profiling, connection, play] = start(end);
        conversation.calls.forEach(play);
        connection.close();
        expect(wrongPairs(profiling)).toEqual([]);
        const { requests, responses, exchanges } = profiling.capture();
        expect([requests, responses, exchanges]).toEqual(Array(3).fill(conversation.exchanges));
        const missing = { unansweredRequests: 0, orphanResponses: 0, unparsedMessages: 0, coverage: 1 };
        expect(profiling.capture()).toMatchObject(missing);
        expect(profiling.samples.map(({ request }) => request.uri)).toEqual(
          Array.from({ length: conversation.exchanges }, (_, i) => `/n${i}`),
        );
      }),
      RUNS,
    );
  });

  it("joined before any request of a connection in turns, each exchange from there on is seen", () => {
    fc.assert(
      fc.property(inTurns, anyEnd, fc.nat(100), (conversation, end, from) => {
        const [profiling, connection, play] = start({ ...end, isFresh: false });
        const { calls } = conversation;
        const first = calls.findIndex(
          (call, i) => i >= from % calls.length && call.kind === "request" && isWholeStartLine(call),
        );
        const before = first === -1 ? calls : calls.slice(0, first);
        for (const { kind, text } of before) {
          if ((kind === "response") === (end.side === "server")) connection.unseenWrite(text);
          else connection.unseenRead(text);
        }
        const after = calls.slice(before.length);
        after.forEach(play);
        profiling.finish();
        expect(wrongPairs(profiling)).toEqual([]);
        const begun = after.filter((call) => call.kind === "request" && call.isStart).length;
        expect(profiling.capture().exchanges).toBe(begun);
      }),
      RUNS,
    );
  });
});

/** By less the kernel does not recognise a connection that is not fresh. */
function isWholeStartLine({ isStart, text }: Call): boolean {
  return isStart && text.includes("\r\n");
}

describe("any split of the same bytes into calls gives the same exchanges", () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 12 });
  it.each([
    ["in turns", inTurns],
    ["pipelined", pipelined],
  ])("%s", (_, conversations) => {
    fc.assert(
      fc.property(conversations, end, pieces, (conversation, end, sizes) => {
        const [whole, , playWhole] = start(end);
        conversation.calls.forEach(playWhole);
        const [cut, , playCut] = start(end);
        let piece = 0;
        for (const { kind, text } of conversation.calls) {
          for (let at = 0; at < text.length; ) {
            const to = at + sizes[piece++ % sizes.length]!;
            playCut({ kind, text: text.slice(at, to) });
            at = to;
          }
        }
        expect(timeless(cut)).toEqual(timeless(whole));
        expect(cut.capture()).toEqual({ ...whole.capture(), events: cut.capture().events });
      }),
      RUNS,
    );
  });
});

describe("requests = exchanges + unanswered + in flight, at every step, and in the end none is in flight", () => {
  const disturbed = fc.tuple(fc.oneof(inTurns, pipelined), anyEnd, fc.integer(), fc.constantFrom(0, 0.1, 0.3, 0.7));

  it("with any loss", () => {
    fc.assert(
      fc.property(disturbed, ([conversation, end, seed, rate]) => {
        const [profiling, connection, play] = start(end);
        const luck = luckOf(seed);
        for (const call of conversation.calls) {
          if (luck() < rate) profiling.wire.lost(() => play(call));
          else play(call);
          expect(imbalance(profiling)).toBe(0);
        }
        connection.close();
        expect([imbalance(profiling), inFlight(profiling)]).toEqual([0, 0]);
      }),
      RUNS,
    );
  });

  it("in any order of the records", () => {
    fc.assert(
      fc.property(disturbed, ([conversation, end, seed, rate]) => {
        const [profiling, connection, play] = start(end);
        playDisordered(profiling, conversation, play, luckOf(seed), rate);
        connection.close();
        expect([imbalance(profiling), inFlight(profiling)]).toEqual([0, 0]);
      }),
      RUNS,
    );
  });
});

describe("a wrong pair is worse than none", () => {
  const losses = fc.tuple(fc.integer(), fc.constantFrom(0.02, 0.1, 0.3));

  it("in turns: whatever records are lost, no response goes to another's request", () => {
    fc.assert(
      fc.property(inTurns, anyEnd, losses, (conversation, end, [seed, rate]) => {
        const [profiling, connection, play] = start(end);
        playWithLoss(profiling, conversation, play, luckOf(seed), rate);
        connection.close();
        expect(wrongPairs(profiling)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it("pipelined: likewise", () => {
    fc.assert(
      fc.property(pipelined, anyEnd, losses, (conversation, end, [seed, rate]) => {
        const [profiling, connection, play] = start(end);
        playWithLoss(profiling, conversation, play, luckOf(seed), rate);
        connection.close();
        expect(wrongPairs(profiling)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it("joined anywhere: likewise, whatever responses were pending", () => {
    fc.assert(
      fc.property(fc.oneof(inTurns, pipelined), anyEnd, fc.nat(), losses, (conversation, end, from, [seed, rate]) => {
        const [profiling, connection, play] = start({ ...end, isFresh: false });
        const at = from % conversation.calls.length;
        for (const { kind, text } of conversation.calls.slice(0, at)) {
          if ((kind === "response") === (end.side === "server")) connection.unseenWrite(text);
          else connection.unseenRead(text);
        }
        playWithLoss(profiling, { ...conversation, calls: conversation.calls.slice(at) }, play, luckOf(seed), rate);
        connection.close();
        expect(wrongPairs(profiling)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it("in turns, on the client's side: a request's records may come after those of its response", () => {
    fc.assert(
      fc.property(inTurns, end, losses, (conversation, end, [seed, rate]) => {
        const [profiling, connection, play] = start({ ...end, side: "client" });
        const luck = luckOf(seed);
        let late: (() => void) | undefined;
        for (const [i, call] of conversation.calls.entries()) {
          if (call.kind === "request") late?.();
          if (call.kind === "request") late = undefined;
          const isLast = call.kind === "request" && conversation.calls[i + 1]?.kind === "response";
          // By the first request the connection is known for a client's.
          if (i > 2 && isLast && luck() < rate) late = profiling.wire.later(() => play(call));
          else play(call);
        }
        late?.();
        connection.close();
        expect(wrongPairs(profiling)).toEqual([]);
        expect(profiling.capture()).toMatchObject({ exchanges: conversation.exchanges, coverage: 1 });
      }),
      { numRuns: 150 },
    );
  });

  it("in turns, a tenth of the records lost: seven of ten exchanges are seen all the same", () => {
    const luck = luckOf(1);
    const seen = { exchanges: 0, of: 0 };
    for (const conversation of fc.sample(inTurns, { numRuns: 200, seed: 1 })) {
      const [profiling, , play] = start({ side: "server" });
      playWithLoss(profiling, conversation, play, luck, 0.1);
      seen.exchanges += profiling.finish().capture().exchanges;
      seen.of += conversation.exchanges;
    }
    expect(seen.exchanges / seen.of).toBeGreaterThan(0.7);
  });
});

function playWithLoss(
  { wire }: Profiling,
  { calls }: Conversation,
  play: Play,
  luck: () => number,
  rate: number,
): void {
  for (const call of calls) {
    if (luck() < rate) wire.lost(() => play(call));
    else play(call);
  }
}

/** Some records come a few later than they were made. */
function playDisordered(
  { wire }: Profiling,
  { calls }: Conversation,
  play: Play,
  luck: () => number,
  rate: number,
): void {
  const late: (() => void)[] = [];
  for (const call of calls) {
    if (luck() < rate) late.push(wire.later(() => play(call)));
    else play(call);
    if (luck() < 0.4) late.shift()?.();
  }
  for (const deliver of late) deliver();
}
