/** The pairing: conversations whose messages carry numbers, with records lost, late, or before l7prof came. */
import fc from "fast-check";
import { type Call, type Conversation, inTurns, isRightPair, pipelined } from "../core/conversation.ts";
import { luckOf } from "../core/luck.ts";
import { imbalance, inFlight, startProfiling } from "../core/profiling.ts";
import { type Fuzzed, same } from "./property.ts";

const ends = fc.record({
  side: fc.constantFrom("server", "client"),
  isFresh: fc.boolean(),
  isUnix: fc.boolean(),
  start: fc.constantFrom(0, 0xffff_ff00),
});

export const pairing: Fuzzed = {
  name: "pairing: no response goes to another's request, whatever is lost",
  testRuns: 200,
  property: () =>
    fc.property(
      fc.oneof(inTurns, pipelined),
      ends,
      fc.constantFrom(0, 0.02, 0.1, 0.3),
      fc.nat(),
      fc.integer(),
      ({ calls }: Conversation, { side, isFresh, isUnix, start }, rate, from, seed) => {
        const profiling = startProfiling();
        const where = isUnix ? { unix: "/s" } : { inStart: start, outStart: start };
        const connection = profiling.wire.connection({ isFresh, ...where });
        const luck = luckOf(seed);
        const isWrite = ({ kind }: Call) => (kind === "response") === (side === "server");
        const joined = isFresh ? 0 : from % calls.length;
        for (const call of calls.slice(0, joined)) connection[isWrite(call) ? "unseenWrite" : "unseenRead"](call.text);
        for (const call of calls.slice(joined)) {
          const play = () => void connection[isWrite(call) ? "write" : "read"](call.text);
          if (luck() < rate) profiling.wire.lost(play);
          else play();
        }
        connection.close();
        same(
          profiling.pairs().filter((_, i) => !isRightPair(profiling.samples[i]!)),
          [],
          "wrong pairs:",
        );
        same([imbalance(profiling), inFlight(profiling)], [0, 0], "imbalance, in flight");
      },
    ),
};
