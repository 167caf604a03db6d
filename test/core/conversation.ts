/**
 * Random conversations of one client and one server, as the calls of either end. Each message carries its number: the
 * request in its URI, the response in its status and in the length of its body, so that a wrong pair can be told.
 */
import fc from "fast-check";
import type { Sample } from "../../src/core/profile/sample.ts";
import { answer, chunked, get, request } from "./messages.ts";

export interface Call {
  readonly kind: "request" | "response";
  readonly text: string;
  /** A message begins with it. */
  readonly isStart: boolean;
}

export interface Conversation {
  readonly calls: readonly Call[];
  readonly exchanges: number;
}

export interface Exchange {
  readonly request: string;
  readonly response: string;
}

/** The number of an exchange shows in its response as status and length: 3 × 400 numbers can be told apart. */
const STATUSES = 400;

/** `isRightPair` can tell; a HEAD's answer shows its number in the status alone. */
export function isRightPair({ request: asked, response }: Sample): boolean {
  const number = Number(/^\/n(\d+)$/.exec(asked.uri)?.[1]);
  return response.status === 200 + (number % STATUSES);
}

function exchangeOf(number: number, form: string, size: number): Exchange {
  const uri = `/n${number}`;
  const status = 200 + (number % STATUSES);
  const body = "x".repeat(size);
  const isBodiless = status === 204 || status === 304;
  const plain = isBodiless ? answer(status, null) : answer(status, body);
  switch (form) {
    case "post":
      return { request: request("POST", uri, `b${body}`), response: plain };
    case "head":
      return { request: request("HEAD", uri), response: answer(status, null, `Content-Length: ${size}`) };
    case "chunked": {
      const coded = answer(status, null, "Transfer-Encoding: chunked") + chunked(`${body}y`, "z");
      return { request: get(uri), response: isBodiless ? plain : coded };
    }
    case "chunked-request": {
      const coded = request("PUT", uri, "", "Transfer-Encoding: chunked") + chunked(`${body}y`, "zz");
      return { request: coded, response: plain };
    }
    default:
      return { request: get(uri), response: plain };
  }
}

const form = fc.constantFrom("get", "get", "post", "head", "chunked", "chunked-request");
const forms = (maxLength: number) =>
  fc.array(fc.tuple(form, fc.integer({ min: 0, max: 60 })), { minLength: 1, maxLength, size: "max" });
/** Where to cut a text into calls: mostly not at all. */
const cuts = fc.oneof(
  { weight: 3, arbitrary: fc.constant<number[]>([]) },
  { weight: 1, arbitrary: fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 3 }) },
);

function split(text: string, kind: Call["kind"], at: readonly number[]): Call[] {
  const edges = [0, ...at.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
  return edges
    .slice(1)
    .map((end, i): Call => ({ kind, text: text.slice(edges[i], end), isStart: i === 0 }))
    .filter((call) => call.text !== "");
}

/** The client waits for each answer. */
export const inTurns: fc.Arbitrary<Conversation> = forms(40).chain((list) =>
  fc.array(fc.tuple(cuts, cuts), { minLength: list.length, maxLength: list.length }).map((ways) => ({
    exchanges: list.length,
    calls: list.flatMap(([kind, size], i) => {
      const exchange = exchangeOf(i, kind, size);
      return [...split(exchange.request, "request", ways[i]![0]), ...split(exchange.response, "response", ways[i]![1])];
    }),
  })),
);

/** The client asks on; the server answers in order, each response after its request was read whole. */
export const pipelined: fc.Arbitrary<Conversation> = fc
  .tuple(
    forms(40),
    fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 6 })), {
      minLength: 80,
      maxLength: 80,
    }),
  )
  .map(([list, steps]) => ({
    exchanges: list.length,
    calls: interleave(
      list.map(([kind, size], i) => exchangeOf(i, kind, size)),
      steps,
    ),
  }));

function interleave(exchanges: readonly Exchange[], steps: readonly (readonly [number, number])[]): Call[] {
  const calls: Call[] = [];
  let asked = 0;
  let answered = 0;
  for (let step = 0; answered < exchanges.length; step++) {
    const [asks, answers] = steps[step] ?? [5, 5];
    const now = exchanges.slice(asked, asked + asks);
    asked += now.length;
    if (now.length > 0)
      calls.push({ kind: "request", isStart: true, text: now.map((exchange) => exchange.request).join("") });
    const done = exchanges.slice(answered, Math.min(asked, answered + answers));
    answered += done.length;
    // Every other time in one write.
    if (step % 2 === 0)
      calls.push(...done.map(({ response }): Call => ({ kind: "response", text: response, isStart: true })));
    else if (done.length > 0)
      calls.push({ kind: "response", isStart: true, text: done.map(({ response }) => response).join("") });
  }
  return calls;
}
