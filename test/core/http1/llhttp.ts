/** What llhttp, the parser inside Node, makes of a stream: another reading of RFC 9112 that nobody here wrote. */
import { createRequire } from "node:module";

interface LlhttpParser {
  initialize(kind: number, resource: object): void;
  execute(bytes: Buffer): number | Error;
  finish(): number | Error | undefined;
  [callback: number]: unknown;
}

interface LlhttpBinding {
  readonly methods: readonly string[];
  readonly HTTPParser: { new (): LlhttpParser; readonly [constant: string]: number };
}

// Node has no other way to its parser than this module, which has been there since its first versions.
export const { HTTPParser, methods } = createRequire(import.meta.url)("_http_common") as LlhttpBinding;

export interface Reading {
  /** `METHOD target 1.x` or `status 1.x` of each message, and `end` where it ended. */
  readonly events: readonly string[];
  readonly body: string;
  readonly isRefused: boolean;
  readonly isUpgrade: boolean;
}

export function readWithLlhttp(
  kind: "request" | "response",
  bytes: Uint8Array,
  isEnded: boolean,
  isHead = false,
): Reading {
  const events: string[] = [];
  let body = "";
  let isUpgrade = false;
  const parser = new HTTPParser();
  parser.initialize(HTTPParser[kind === "request" ? "REQUEST" : "RESPONSE"]!, {});
  const { kOnHeadersComplete, kOnBody, kOnMessageComplete } = HTTPParser as unknown as Record<string, number>;
  parser[kOnHeadersComplete!] = (
    _major: number,
    minor: number,
    _headers: unknown,
    method: number,
    url: string,
    status: number,
    _reason: string,
    upgrade: boolean,
  ) => {
    events.push(kind === "request" ? `${methods[method]} ${url} 1.${minor}` : `${status} 1.${minor}`);
    isUpgrade ||= upgrade;
    return isHead ? 1 : upgrade && kind === "response" && status === 101 ? 2 : 0;
  };
  parser[kOnBody!] = (content: Buffer) => {
    body += content.toString("latin1");
  };
  parser[kOnMessageComplete!] = () => void events.push("end");
  const executed = parser.execute(Buffer.from(bytes));
  const finished = isEnded && !(executed instanceof Error) ? parser.finish() : undefined;
  return { events, body, isRefused: executed instanceof Error || finished instanceof Error, isUpgrade };
}
