/**
 * URI → template: `/users/42?x=1` → `/users/{id}`, so that one endpoint is one row.
 *
 * A segment is cut at its punctuation into tokens, the tokens that look like ids (route-id.ts) become `{id}` and runs
 * of them one: `/order-1234` → `/order-{id}`, `/logo-8f3a2b1c.png` → `/logo-{id}.png`, `/2024-01-15` → `/{id}`. What
 * reads as a word or as an API version stays. When in doubt it stays: a row too many is better than two endpoints in
 * one, the table of endpoints is capped anyway, and `--uri-template` is there.
 *
 * Pure, and linear in the length of the URI, which comes from the network.
 */
import { isEmail, isIdToken, isMixedToken, isPlainWord, isVersion, TIMESTAMP, UUID } from "./route-id.ts";

export interface RouterConfig {
  /** No automatic templates; the manual ones still count. */
  readonly rawUris: boolean;
  /** Manual templates (`/a/{x}/b`); the first that fits wins over the automatic one. */
  readonly templates: readonly string[];
}

export type Router = (uri: string) => string;

export function createRouter(config: RouterConfig): Router {
  const templates = config.templates.map(compileTemplate);
  const automatic = config.rawUris ? (path: string) => path : templateOf;
  return (uri) => {
    const path = pathOf(uri);
    // `*` (OPTIONS) and `host:port` (CONNECT) are no paths: RFC 9112 3.2.
    const template = path.startsWith("/") ? (firstFit(templates, path) ?? automatic(path)) : path;
    return capped(template);
  };
}

/** The URI without its query, and an absolute-form target (`http://host/path`, as proxies get it) without its host. */
export function pathOf(uri: string): string {
  const target = cutAt(cutAt(uri, "?"), "#");
  if (target.startsWith("/")) return target;
  const authority = /^[a-z][a-z0-9+.-]*:\/\//i.exec(target)?.[0].length;
  if (authority === undefined) return target;
  const slash = target.indexOf("/", authority);
  return slash === -1 ? "/" : target.slice(slash);
}

function cutAt(text: string, mark: string): string {
  const end = text.indexOf(mark);
  return end === -1 ? text : text.slice(0, end);
}

/** A template is a key of the endpoints' table and a cell of a view: neither wants a megabyte. */
const MAX_CHARS = 256;

function capped(path: string): string {
  return path.length <= MAX_CHARS ? path : `${path.slice(0, MAX_CHARS - 1)}…`;
}

function templateOf(path: string): string {
  // Past the cap of the result there is little to see; 8 times as much leaves room for the ids that shrink.
  return path
    .slice(0, MAX_CHARS * 8)
    .split("/")
    .map((segment) => (isPlainWord(segment) ? segment : templateOfSegment(segment)))
    .join("/");
}

function templateOfSegment(segment: string): string {
  if (/^\d+$/.test(segment)) return "{id}";
  if (isVersion(segment)) return segment;
  if (isEmail(segment) || isMixedToken(segment)) return "{id}";
  const tokens =
    segment.length < SHORTEST_TIMESTAMP ? segment : segment.replace(UUID, "{id}").replace(TIMESTAMP, "{id}");
  return tokens.replace(TOKEN, (token) => (isIdToken(token) ? "{id}" : token)).replace(RUN_OF_IDS, "{id}");
}

const SHORTEST_TIMESTAMP = "2024-01-15T10".length;
/** Percent-escapes first, so that the 20 of `%20` is no number; the `{id}`s that are there already stay. */
const TOKEN = /%[0-9a-f]{2}|\{id\}|[^-_.~:;,=@+!$&'()*%{}]+/gi;
const RUN_OF_IDS = /\{id\}(?:(?:[-_.~:,+@]|%[0-9a-f]{2})?\{id\})+/gi;

interface Template {
  readonly text: string;
  readonly segments: readonly TemplateSegment[];
}

/** A literal, or what stands before and after the `{…}`: `{name}.png`. */
type TemplateSegment = string | readonly [before: string, after: string];

function compileTemplate(text: string): Template {
  return { text, segments: text.split("/").map(compileSegment) };
}

function compileSegment(segment: string): TemplateSegment {
  const open = segment.indexOf("{");
  const close = segment.lastIndexOf("}");
  return open === -1 || close < open ? segment : [segment.slice(0, open), segment.slice(close + 1)];
}

function firstFit(templates: readonly Template[], path: string): string | undefined {
  const segments = path.split("/");
  return templates.find((template) => fits(template, segments))?.text;
}

function fits(template: Template, segments: readonly string[]): boolean {
  if (template.segments.length !== segments.length) return false;
  return template.segments.every((pattern, i) => fitsSegment(pattern, segments[i]!));
}

function fitsSegment(pattern: TemplateSegment, segment: string): boolean {
  if (typeof pattern === "string") return pattern === segment;
  const [before, after] = pattern;
  return segment.length > before.length + after.length && segment.startsWith(before) && segment.endsWith(after);
}
