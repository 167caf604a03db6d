/** What may happen at sockets that are profiled, as steps of a script: hostile bytes, in any order, with any loss. */
import fc from "fast-check";
import type { Wire, WireConnection, WireOptions } from "../core/wire.ts";
import type { Kind } from "./corpus.ts";
import { httpText, wellFormed } from "./http-bytes.ts";

const CONNECTIONS = 2;

export type Step = { readonly on: number; readonly isLost: boolean } & (
  | {
      readonly do: "say";
      readonly kind: Kind;
      readonly text: string;
      readonly headShare: number;
      readonly tail: number;
    }
  | { readonly do: "exchange"; readonly request: string; readonly response: string }
  | { readonly do: "unseenRead" | "unseenWrite" | "wait"; readonly amount: number }
  | { readonly do: "state"; readonly state: number; readonly shutdown: number }
  | { readonly do: "readEnd" | "close" | "open" | "opaque" | "deliver" }
  | { readonly do: "later"; readonly kind: Kind; readonly text: string }
  | { readonly do: "process"; readonly what: number; readonly comm: string }
);

interface End extends WireOptions {
  readonly side: "server" | "client";
}

export interface Script {
  readonly connections: readonly End[];
  readonly steps: readonly Step[];
}

const position = fc.constantFrom(0, 1, 0x7fff_fff0, 0xffff_ff00, 0xffff_ffff);
const comm = fc.constantFrom("nginx", "\x1b[31mred", "\u202egnp", "", "a\0b", "%s%n", "日本語のプロセス");
const connection: fc.Arbitrary<End> = fc
  .record({
    inStart: position,
    outStart: position,
    side: fc.constantFrom("server", "client"),
    isFresh: fc.boolean(),
    comm,
    pid: fc.constantFrom(10, 11, 0, 4_194_304),
    ends: fc.constantFrom<Partial<WireOptions>>(
      {},
      { local: "[::1]:80", remote: "[fe80::1]:4000" },
      { local: "[::ffff:10.0.0.1]:80".replace("10.0.0.1", "a00:1"), remote: "[::ffff:a00:2]:4000" },
      { unix: "/run/\x1b[2J\u202e.sock" },
      { unix: "\0abstract" },
      { unix: "" },
    ),
  })
  .map(({ ends, ...options }) => ({ ...options, ...ends }));

const kind = fc.constantFrom<Kind>("request", "response");
const said = kind.chain((kind) => fc.record({ kind: fc.constant(kind), text: httpText(kind) }));
const say = fc
  .tuple(
    said,
    fc.oneof(
      { weight: 3, arbitrary: fc.constant(1) },
      fc.nat(100).map((share) => share / 100),
    ),
    fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(64)),
  )
  .map(([said, headShare, tail]) => ({ do: "say" as const, ...said, headShare, tail }));
const exchange = fc.record({
  do: fc.constant("exchange" as const),
  request: fc.oneof({ weight: 3, arbitrary: wellFormed("request") }, httpText("request")),
  response: fc.oneof({ weight: 3, arbitrary: wellFormed("response") }, httpText("response")),
});
const what = fc.oneof(
  { weight: 12, arbitrary: exchange },
  { weight: 8, arbitrary: say },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("unseenRead" as const, "unseenWrite" as const),
      amount: fc.oneof(fc.nat(300), fc.nat(0xffff_ffff)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("wait" as const), amount: fc.constantFrom(0, 1, 999, 1001, 11_000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("state" as const), state: fc.nat(12), shutdown: fc.nat(3) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("readEnd" as const, "close" as const, "open" as const, "opaque" as const, "deliver" as const),
    }),
  },
  { weight: 1, arbitrary: said.map((said) => ({ do: "later" as const, ...said })) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("process" as const), what: fc.nat(4), comm }) },
);
const step: fc.Arbitrary<Step> = fc
  .tuple(fc.nat(CONNECTIONS - 1), fc.oneof({ weight: 12, arbitrary: fc.constant(false) }, fc.constant(true)), what)
  .map(([on, isLost, what]) => ({ on, isLost, ...what }) as Step);

export const script: fc.Arbitrary<Script> = fc.record({
  connections: fc.array(connection, { minLength: CONNECTIONS, maxLength: CONNECTIONS }),
  steps: fc.array(step, { maxLength: 14, size: "max" }),
});

/** Plays it, and closes what it left open. */
export function play(wire: Wire, { connections, steps }: Script): void {
  const players = connections.map((end, i) => new Player(wire, wire.connection({ id: 50 + i, ...end }), end.side));
  for (const step of steps) {
    const player = players[step.on]!;
    if (step.isLost) wire.lost(() => player.play(step));
    else player.play(step);
  }
  for (const player of players) player.finish();
}

class Player {
  private readonly late: (() => void)[] = [];
  private readonly wire: Wire;
  private readonly connection: WireConnection;
  private readonly side: "server" | "client";

  constructor(wire: Wire, connection: WireConnection, side: "server" | "client") {
    this.wire = wire;
    this.connection = connection;
    this.side = side;
  }

  play(step: Step): void {
    const { connection, wire, late } = this;
    switch (step.do) {
      case "say":
        return void this.say(step.kind, step.text, step.headShare, step.tail);
      case "exchange":
        this.say("request", step.request);
        return void this.say("response", step.response);
      case "unseenRead":
      case "unseenWrite":
        return void connection[step.do](step.amount);
      case "wait":
        return void wire.wait(step.amount);
      case "state":
        return void connection.state(step.state, step.shutdown);
      case "process":
        return void wire.process(step.what, connection.pid, step.comm);
      case "later":
        return void late.push(wire.later(() => this.say(step.kind, step.text)));
      case "deliver":
        return void late.shift()?.();
      default:
        connection[step.do]();
    }
  }

  finish(): void {
    for (const deliver of this.late) deliver();
    this.connection.close();
  }

  private say(kind: Kind, text: string, headShare = 1, maxTail = 0): void {
    const head = Math.floor(text.length * headShare);
    const copied = { head, tail: Math.min(maxTail, text.length - head) };
    this.connection[(kind === "response") === (this.side === "server") ? "write" : "read"](text, copied);
  }
}
