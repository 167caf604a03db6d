/** Every key, in two columns where there is room. */
import type { Theme } from "./theme.ts";

type Entry = readonly [keys: string, what: string];

const KEYS: readonly (readonly Entry[])[] = [
  [
    ["1 … 6, Tab", "the views; ? this help"],
    ["↑ ↓  j k", "one row or line"],
    ["PgUp PgDn", "one page; Space and b, too"],
    ["Home End", "first and last; g and G, too"],
    ["Enter", "what is behind the row"],
    ["Esc", "one step back"],
    ["← →", "Samples: slow, 4xx, 5xx; Distributions: side"],
  ],
  [
    ["/", "filter: GET, 5xx, 404, part of a URI"],
    ["s  < >", "sort by the next column; r reverse"],
    ["t", "since start, or the last interval"],
    ["p", "pause: the capture goes on"],
    ["+ -", "longer and shorter intervals"],
    ["0", "totals begin anew; the summary does not"],
    ["q  Ctrl-C", "quit: the summary is printed"],
  ],
  [
    ["c", "in a sample: it as a curl command"],
    ["w", "in a sample: write it to a file"],
    ["x", "in a sample: bodies as bytes"],
    ["Ctrl-L", "draw the screen anew; Ctrl-Z suspends"],
  ],
];

const NOTES = [
  "CPM: exchanges completed a minute. ERR: share of 4xx and 5xx. WAIT: requests",
  "that wait for their response now. REQ, RESP: mean size. TTFB: time to first",
  "byte, median. Red in the first line: part of the traffic is missing from the",
  "numbers; view 6 says what. The man page has the rest: man l7prof",
];

const KEY_WIDTH = 12;
const COLUMN_WIDTH = 62;

export function helpLines(theme: Theme): string[] {
  const blocks = KEYS.map((entries) => entries.map(([keys, what]) => ({ keys, what })));
  const line = ({ keys, what }: { keys: string; what: string }) => ` ${theme.key(keys.padEnd(KEY_WIDTH))} ${what}`;
  const notes = ["", ...NOTES.map((note) => ` ${theme.dim(note)}`)];
  if (theme.columns < COLUMN_WIDTH * 2) return [...blocks.flat().map(line), ...notes];
  const [left = [], ...right] = blocks;
  const second = right.flat();
  const rows = Array.from({ length: Math.max(left.length, second.length) }, (_, index) => {
    const [a, b] = [left[index], second[index]];
    const padding = " ".repeat(Math.max(0, COLUMN_WIDTH - KEY_WIDTH - 2 - (a?.what.length ?? -KEY_WIDTH - 2)));
    return `${a ? line(a) : ""}${padding}${b ? line(b) : ""}`;
  });
  return [...rows, ...notes];
}
