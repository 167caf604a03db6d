/** The filter that `/` opens: words that must all fit. `GET`, `5xx` or `404`, anything else is looked for in the text. */

export interface Filtered {
  /** "" where there is none. */
  readonly method: string;
  /** The status codes that occur. */
  readonly statuses: readonly string[];
  /** URI, processes, addresses. */
  readonly text: string;
}

export function matcherOf(filter: string): (row: Filtered) => boolean {
  const tests = filter.trim().split(/\s+/).filter(Boolean).map(testOf);
  return (row) => tests.every((test) => test(row));
}

function testOf(word: string): (row: Filtered) => boolean {
  if (/^[1-5]xx$/i.test(word)) return ({ statuses }) => statuses.some((status) => status.startsWith(word[0]!));
  if (/^[1-5]\d\d$/.test(word)) return ({ statuses, text }) => statuses.includes(word) || text.includes(word);
  const sought = word.toLowerCase();
  const isMethod = METHODS.has(word);
  return ({ method, text }) => (isMethod && method === word) || text.toLowerCase().includes(sought);
}

/** The registered ones that are in use; written in capitals they mean the method. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PROPFIND"]);
