/** What a key does to the state, and what else it does. Both pure; the screen carries the effects out. */
import { moved } from "./move.ts";
import {
  type Cursor,
  INTERVALS_MS,
  type Page,
  REASONS,
  type Row,
  SORTS,
  type State,
  selectedIndex,
  type TableState,
  tableOf,
  VIEWS,
  type ViewName,
} from "./state.ts";

/** A character, or a name such as `up`, `enter`, `ctrl-c`. */
export type Key = string;

export function press(before: State, key: Key, page: Page): State {
  const state = before.notice === null ? before : { ...before, notice: null };
  if (state.typedOver !== null) return typed(state, key);
  const view = VIEWS[Number(key) - 1];
  if (view !== undefined && view !== "help") return shown(state, view);
  const step = STEPS[key];
  return step === undefined ? moved(state, key, page) : step(state, page);
}

export type Effect =
  | { readonly kind: "quit" | "reset" | "suspend" | "repaint" | "copy" | "save" }
  | { readonly kind: "interval"; readonly ms: number };

/** For the state that the key has led to. */
export function effectOf(key: Key, before: State, after: State): Effect | null {
  if (key === "ctrl-c") return { kind: "quit" };
  if (key === "ctrl-z") return { kind: "suspend" };
  if (key === "ctrl-l") return { kind: "repaint" };
  if (after.intervalMs !== before.intervalMs) return { kind: "interval", ms: after.intervalMs };
  if (before.typedOver !== null) return null;
  if (key === "q") return { kind: "quit" };
  if (key === "0") return { kind: "reset" };
  if (key === "c" && after.isCurl && !before.isCurl) return { kind: "copy" };
  if (key === "w" && after.detail !== null) return { kind: "save" };
  return null;
}

const STEPS: Readonly<Record<Key, (state: State, page: Page) => State>> = {
  tab: (state) => shown(state, neighbour(VIEWS, state.view, 1)),
  backtab: (state) => shown(state, neighbour(VIEWS, state.view, -1)),
  "?": (state) => (state.view === "help" ? back(state) : shown(state, "help")),
  escape: back,
  enter: (state, page) => opened(state, page.rows[selectedOf(state, page)]),
  "/": (state) => (tableOf(state) === null ? state : { ...state, typedOver: state.filter }),
  s: (state) => sorted(state, 1),
  ">": (state) => sorted(state, 1),
  "<": (state) => sorted(state, -1),
  r: (state) => withTable(state, (table) => ({ ...table, isReversed: !table.isReversed })),
  t: (state) => ({ ...state, scope: state.scope === "total" ? "window" : "total" }),
  p: (state) => ({ ...state, isPaused: !state.isPaused }),
  "+": (state) => ({ ...state, intervalMs: INTERVALS_MS.find((ms) => ms > state.intervalMs) ?? state.intervalMs }),
  "-": (state) => ({ ...state, intervalMs: INTERVALS_MS.findLast((ms) => ms < state.intervalMs) ?? state.intervalMs }),
  left: (state) => turned(state, -1),
  right: (state) => turned(state, 1),
  c: (state) => (state.detail === null ? state : { ...state, isCurl: !state.isCurl, scroll: 0 }),
  x: (state) => (state.detail === null ? state : { ...state, isRaw: !state.isRaw }),
};

function shown(state: State, view: ViewName): State {
  if (view === state.view && state.detail === null) return state;
  const back = state.view === view ? state.back : [...state.back.filter((name) => name !== view), state.view];
  return { ...state, view, back, detail: null, isCurl: false, scroll: 0 };
}

/** One step out: of what is open, of the filter, of the selection, of the view. */
function back(state: State): State {
  if (state.isCurl) return { ...state, isCurl: false, scroll: 0 };
  if (state.detail !== null) return { ...state, detail: null, scroll: 0 };
  if (state.filter !== "" && tableOf(state) !== null) return { ...state, filter: "" };
  const { focus } = state;
  const view = state.back.at(-1);
  const wider = focus.endpoint !== null ? { ...focus, endpoint: null } : { ...focus, edge: null };
  const isNarrowed =
    (state.view === "distributions" && focus.endpoint !== null) || (state.view === "endpoints" && focus.edge !== null);
  const widened = isNarrowed ? { ...state, focus: wider } : state;
  return view === undefined ? widened : { ...widened, view, back: state.back.slice(0, -1), scroll: 0 };
}

/** Enter: the endpoints of an edge, the distributions of an endpoint, the endpoints with a status, a sample whole. */
function opened(state: State, row: Row | undefined): State {
  if (row === undefined) return state;
  switch (tableOf(state)) {
    case "edges":
      return { ...shown(state, "endpoints"), focus: { side: row.side, edge: row.id, endpoint: null } };
    case "endpoints":
      return { ...shown(state, "distributions"), focus: { ...state.focus, side: row.side, endpoint: row.id } };
    case "statuses":
      return { ...shown(state, "endpoints"), filter: row.status ?? "" };
    case "samples":
      return { ...state, detail: row.sample ?? null, scroll: 0, isRaw: false };
    default:
      return state;
  }
}

function turned(state: State, by: number): State {
  if (state.view === "samples" && state.detail === null)
    return { ...state, reason: neighbour(REASONS, state.reason, by) };
  if (state.view !== "distributions") return state;
  const side = state.focus.side === "server" ? "client" : "server";
  return { ...state, focus: { side, edge: null, endpoint: null } };
}

function sorted(state: State, by: number): State {
  const name = tableOf(state);
  if (name === null) return state;
  return withTable(state, (table) => ({ ...table, sort: neighbour(SORTS[name], table.sort, by), isReversed: false }));
}

function withTable(state: State, change: (table: TableState) => TableState): State {
  const name = tableOf(state);
  return name === null ? state : { ...state, tables: { ...state.tables, [name]: change(state.tables[name]) } };
}

function typed(state: State, key: Key): State {
  const top: Cursor = { id: null, index: 0 };
  const filtered = (filter: string) => withTable({ ...state, filter }, (table) => ({ ...table, cursor: top }));
  if (key === "enter") return { ...state, typedOver: null };
  if (key === "escape") return { ...state, typedOver: null, filter: state.typedOver ?? "" };
  if (key === "backspace") return filtered(state.filter.slice(0, -1));
  if (key === "ctrl-u") return filtered("");
  return key.length === 1 && state.filter.length < MAX_FILTER ? filtered(state.filter + key) : state;
}

const MAX_FILTER = 100;

function selectedOf(state: State, page: Page): number {
  const name = tableOf(state);
  return name === null ? 0 : selectedIndex(state.tables[name].cursor, page.rows);
}

/** The next one, and after the last the first. */
function neighbour<T>(all: readonly T[], current: T, by: number): T {
  return all[(all.indexOf(current) + by + all.length) % all.length]!;
}
