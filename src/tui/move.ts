/** Keys that move the selection in a table, or scroll what is no table, as in less and top. Pure. */
import { type Page, type State, selectedIndex, tableOf } from "./state.ts";

export function moved(state: State, key: string, { rows, lineCount, height }: Page): State {
  const by = MOVES[key]?.(Math.max(1, height));
  if (by === undefined) return state;
  const name = tableOf(state);
  if (name === null) return { ...state, scroll: clamp(state.scroll + by, lineCount - height) };
  const table = state.tables[name];
  const index = clamp(selectedIndex(table.cursor, rows) + by, rows.length - 1);
  const cursor = { id: rows[index]?.id ?? null, index };
  return { ...state, tables: { ...state.tables, [name]: { ...table, cursor } } };
}

/** By how many rows, given how many there are on a page. */
const MOVES: Readonly<Record<string, (page: number) => number>> = {
  up: () => -1,
  k: () => -1,
  down: () => 1,
  j: () => 1,
  pageup: (page) => -page,
  b: (page) => -page,
  "ctrl-b": (page) => -page,
  pagedown: (page) => page,
  " ": (page) => page,
  "ctrl-f": (page) => page,
  "ctrl-u": (page) => -Math.ceil(page / 2),
  "ctrl-d": (page) => Math.ceil(page / 2),
  home: () => -Number.MAX_SAFE_INTEGER,
  g: () => -Number.MAX_SAFE_INTEGER,
  end: () => Number.MAX_SAFE_INTEGER,
  G: () => Number.MAX_SAFE_INTEGER,
};

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(value, most));
}
