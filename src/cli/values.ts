/** The values of options: text → a checked value in plain units, or a UserError that shows how to write it. */
import type { HostPort } from "../config.ts";
import { UserError } from "../errors.ts";

/** Reads the value of one option; `flag` is how the error names it. */
export type Reader<T> = (flag: string, text: string) => T;

/** `250ms`, `1s`, `1.5s`, `2m`, `1h`; a bare number is milliseconds. */
export const durationMs: Reader<number> = (flag, text) => {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(us|ms|s|m|h)?$/.exec(text);
  if (!match)
    throw badValue(flag, text, "a duration", "write it like 250ms, 1.5s or 2m; a bare number is milliseconds");
  return Number(match[1]) * MS_OF_UNIT[(match[2] ?? "ms") as keyof typeof MS_OF_UNIT];
};

const MS_OF_UNIT = { us: 1e-3, ms: 1, s: 1e3, m: 60e3, h: 3600e3 } as const;

export const positiveDurationMs: Reader<number> = (flag, text) => {
  const ms = durationMs(flag, text);
  if (ms === 0)
    throw badValue(flag, text, "longer than nothing", "give it a time, like 10s, or leave it out for no limit");
  return ms;
};

/** 0 means something of its own; anything else must leave time to draw. */
export const intervalMs: Reader<number> = (flag, text) => {
  const ms = durationMs(flag, text);
  const isSecondsMeant = /^\d+$/.test(text) && ms < MIN_INTERVAL_MS;
  const fix = isSecondsMeant
    ? `a bare number is milliseconds: write ${flag} ${text}s for seconds`
    : `at least ${MIN_INTERVAL_MS}ms, or 0 for the summary alone`;
  if (ms > 0 && ms < MIN_INTERVAL_MS) throw badValue(flag, text, "a usable interval", fix);
  return ms;
};

const MIN_INTERVAL_MS = 10;

/** `2048`, `4k`, `4KiB`, `1M`: powers of 1024, as memory and buffers go. */
export const sizeBytes: Reader<number> = (flag, text) => {
  const match = /^(\d+)(?:([kmg])(?:i?b)?|b)?$/i.exec(text);
  const unit = match?.[2]?.toLowerCase() as keyof typeof BYTES_OF_UNIT | undefined;
  const bytes = match ? Number(match[1]) * (unit ? BYTES_OF_UNIT[unit] : 1) : Number.NaN;
  if (bytes <= MAX_BYTES) return bytes;
  throw badValue(flag, text, "a size", "write it in bytes, or like 4k or 16MiB; at most 1GiB");
};

const BYTES_OF_UNIT = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 } as const;
const MAX_BYTES = 1024 ** 3;

/** BPF ring buffers are powers of two, and at least a page. */
export const ringBytes: Reader<number> = (flag, text) =>
  2 ** Math.ceil(Math.log2(Math.max(sizeBytes(flag, text), 4096)));

export function integer(min: number, max: number, what: string): Reader<number> {
  return (flag, text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `from ${min} to ${max}`;
    throw badValue(flag, text, what, `give it a whole number, ${range}`);
  };
}

export function listOf<T>(read: Reader<T>): Reader<readonly T[]> {
  return (flag, text) => text.split(",").map((item) => read(flag, item.trim()));
}

export function oneOf<T extends string>(choices: readonly T[]): Reader<T> {
  return (flag, text) => {
    const choice = choices.find((c) => c === text);
    if (choice === undefined) throw badValue(flag, text, "one of its values", `choose ${choices.join(", ")}`);
    return choice;
  };
}

export const nonEmpty: Reader<string> = (flag, text) => {
  if (text === "") throw badValue(flag, text, "a value", `give ${flag} a value, or leave it out`);
  return text;
};

/** As `kubectl get pods --all-namespaces` lists them. */
export const podName: Reader<string> = (flag, text) => {
  if (/^[^/]+\/[^/]+$/.test(text)) return text;
  throw badValue(flag, text, "a pod", "write NAMESPACE/NAME, like default/web-7d4b9");
};

/** `/a/{x}/b`: core/route.ts takes one `{…}` a segment. */
export const uriTemplate: Reader<string> = (flag, text) => {
  const isPath = text.startsWith("/") && !/[?#\s]/.test(text);
  const isTemplate = text.split("/").every((segment) => /^[^{}]*(?:\{[^{}]*\}[^{}]*)?$/.test(segment));
  if (isPath && isTemplate) return text;
  throw badValue(
    flag,
    text,
    "a URI template",
    "write a path with at most one {name} between slashes, like /shops/{shop}/items",
  );
};

/** `http://host:port/path`, without a slash at the end. */
export const httpUrl: Reader<string> = (flag, text) => {
  if (/^https?:\/\/[^/\s]+/i.test(text) && URL.canParse(text)) return new URL(text).href.replace(/\/+$/, "");
  throw badValue(flag, text, "a URL", "write it like http://127.0.0.1:4318");
};

/** A URL, to which the path of Zipkin's API is added if it has none; anything else is a file. */
export const zipkinPlace: Reader<string> = (flag, text) => {
  if (!/^https?:/i.test(text)) return nonEmpty(flag, text);
  const url = httpUrl(flag, text);
  return new URL(url).pathname === "/" ? `${url}/api/v2/spans` : url;
};

/** `host:port`, `[v6]:port`; null: that part must be given. */
export function hostPort(byDefaultHost: string | null, byDefaultPort: number | null): Reader<HostPort> {
  return (flag, text) => {
    const match =
      /^(?:(\[[0-9a-f:.]+\]|[^:[\]\s]*):)?(\d+)$/i.exec(text) ?? (byDefaultPort && /^([^:[\]\s]+)()$/.exec(text));
    const host = match ? (match[1]?.replace(/[[\]]/g, "") ?? byDefaultHost) : null;
    const port = match ? Number(match[2] || byDefaultPort) : 0;
    if (host !== null && host !== "" && port >= 1 && port <= 65_535) return { host, port };
    const example = byDefaultHost === null ? `oap.example:${byDefaultPort}` : "9464 or 0.0.0.0:9464";
    throw badValue(flag, text, "an address", `write it like ${example}`);
  };
}

function badValue(flag: string, text: string, what: string, fix: string): UserError {
  return new UserError("bad-value", `${flag}: "${text}" is not ${what}`, fix, { exitCode: 2 });
}
