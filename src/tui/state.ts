/** Where the user is: which view, how it is sorted, filtered and scrolled. Plain data that keys change. */
import type { Focus } from "../core/overview.ts";
import type { Side } from "../core/profile/parties.ts";
import type { Sample, SampleReason } from "../core/profile/sample.ts";

export type ViewName = "edges" | "endpoints" | "statuses" | "distributions" | "samples" | "warnings" | "help";
export type TableName = "edges" | "endpoints" | "statuses" | "samples";

/** In the order of the number keys and of Tab. */
export const VIEWS: readonly ViewName[] = [
  "edges",
  "endpoints",
  "statuses",
  "distributions",
  "samples",
  "warnings",
  "help",
];

/** The columns that `s` goes through, by title. */
export const SORTS: Readonly<Record<TableName, readonly string[]>> = {
  edges: ["COUNT", "CPM", "ERR", "P50", "P95", "P99", "MAX", "REQ", "RESP", "WAIT", "CALLER → CALLED"],
  endpoints: ["COUNT", "CPM", "ERR", "P50", "P95", "P99", "MAX", "REQ", "RESP", "URI"],
  statuses: ["STATUS", "COUNT"],
  samples: ["WHEN", "TOOK"],
};

export const INTERVALS_MS = [100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000] as const;

export const REASONS = ["all", "slow", "4xx", "5xx"] as const;

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** The selected row by its identity, since tables move; by its place when it is gone. */
export interface Cursor {
  /** Null until the user has chosen one. */
  readonly id: string | null;
  readonly index: number;
}

export interface TableState {
  readonly sort: string;
  readonly isReversed: boolean;
  readonly cursor: Cursor;
}

export interface State {
  readonly view: ViewName;
  /** Where Esc leads back to. */
  readonly back: readonly ViewName[];
  readonly size: Size;
  readonly tables: Readonly<Record<TableName, TableState>>;
  /** What the tables are about: the run so far, or its last window. */
  readonly scope: "total" | "window";
  readonly isPaused: boolean;
  readonly intervalMs: number;
  readonly filter: string;
  /** While a filter is typed: the one before. */
  readonly typedOver: string | null;
  /** What the endpoints and distributions are narrowed to. */
  readonly focus: Focus;
  readonly reason: "all" | SampleReason;
  readonly detail: Sample | null;
  /** The bytes of bodies instead of their text. */
  readonly isRaw: boolean;
  readonly isCurl: boolean;
  /** Lines, of what is no table. */
  readonly scroll: number;
  /** Said once, until the next key. */
  readonly notice: string | null;
}

/** A row as far as keys act on it. */
export interface Row {
  readonly id: string;
  readonly side: Side;
  /** In the list of samples. */
  readonly sample?: Sample;
  /** In the list of statuses. */
  readonly status?: string;
}

/** What is on the screen now. */
export interface Page {
  readonly rows: readonly Row[];
  /** How many lines there are, of what is no table. */
  readonly lineCount: number;
  /** How many rows or lines fit. */
  readonly height: number;
}

const START: Cursor = { id: null, index: 0 };

export function initialState(view: ViewName, size: Size, intervalMs: number): State {
  const table = (name: TableName): TableState => ({ sort: SORTS[name][0]!, isReversed: false, cursor: START });
  return {
    view,
    back: [],
    size,
    tables: {
      edges: table("edges"),
      endpoints: table("endpoints"),
      statuses: table("statuses"),
      samples: table("samples"),
    },
    scope: "total",
    isPaused: false,
    intervalMs,
    filter: "",
    typedOver: null,
    focus: { side: "server", edge: null, endpoint: null },
    reason: "all",
    detail: null,
    isRaw: false,
    isCurl: false,
    scroll: 0,
    notice: null,
  };
}

export function tableOf({ view, detail }: State): TableName | null {
  if (detail !== null) return null;
  return view === "edges" || view === "endpoints" || view === "statuses" || view === "samples" ? view : null;
}

/** The index of the selected row among these. */
export function selectedIndex({ id, index }: Cursor, ids: readonly { readonly id: string }[]): number {
  const found = id === null ? -1 : ids.findIndex((row) => row.id === id);
  return found >= 0 ? found : Math.max(0, Math.min(index, ids.length - 1));
}
