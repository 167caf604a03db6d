/** How the words of a request are told to curl and to the shell, in the script of `--curl` and on the screen. */
import type { Header } from "../core/profile/sample.ts";

/** RFC 9110, 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** What curl makes itself for its own connection, or for the body. */
const OWN_HEADERS = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "expect",
  "upgrade",
  "http2-settings",
]);

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Those that curl is to send as they were. A name that is no token could be an option to it (`-H @file`). */
export function sentHeaders(headers: readonly Header[]): Header[] {
  return headers.filter(([name]) => isToken(name) && !OWN_HEADERS.has(name.toLowerCase()));
}

/** What follows `-H`: curl takes `name:` for a header to leave out. */
export function headerWord([name, value]: Header): string {
  return value === "" ? `${name};` : `${name}: ${value}`;
}

/** A word of the shell, in which nothing means anything. */
export function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
