/** Keys, as people know them from top, htop, less and k9s. */
import { describe, expect, it } from "vitest";
import { keyName } from "../../src/tui/keys.ts";
import { effectOf, press } from "../../src/tui/press.ts";
import { initialState, type Page, type State, selectedIndex, VIEWS } from "../../src/tui/state.ts";
import { SMALL, stateAfter } from "./model.ts";

const START = initialState("endpoints", SMALL, 1000);
const ROWS = Array.from({ length: 50 }, (_, index) => ({ id: `row ${index}`, side: "server" as const }));
const PAGE: Page = { rows: ROWS, lineCount: 0, height: 10 };

function pressed(keys: readonly string[], page = PAGE, from: State = START): State {
  return keys.reduce((state, key) => press(state, key, page), from);
}

function selected(state: State): number {
  return selectedIndex(state.tables.endpoints.cursor, ROWS);
}

describe("views", () => {
  it("number keys, ? and Tab lead to each and around", () => {
    expect(["1", "2", "3", "4", "5", "6", "?"].map((key) => stateAfter([key]).view)).toEqual(VIEWS);
    const tabs = Array.from({ length: 8 }, (_, count) => stateAfter(["1", ...Array(count).fill("tab")]).view);
    expect(tabs).toEqual([...VIEWS, "edges"]);
    expect(stateAfter(["1", "backtab"]).view).toBe("help");
  });

  it("Esc goes back the way that was come", () => {
    expect(stateAfter(["1", "4", "5", "escape"]).view).toBe("distributions");
    expect(stateAfter(["1", "4", "5", "escape", "escape"]).view).toBe("edges");
    expect(stateAfter(["?", "?"]).view).toBe("endpoints");
  });
});

describe("moving", () => {
  it.each([
    [["down"], 1],
    [["j", "j", "k"], 1],
    [["up"], 0],
    [["pagedown"], 10],
    [[" ", "b"], 0],
    [["ctrl-d"], 5],
    [["end"], 49],
    [["G", "g"], 0],
    [["end", "down"], 49],
    [["end", "pageup"], 39],
  ])("%j selects row %i", (keys, index) => {
    expect(selected(pressed(keys))).toBe(index);
  });

  it("the selected row is the same one when the table moves", () => {
    const state = pressed(["down", "down"]);
    const moved = [...ROWS].reverse();
    expect(moved[selectedIndex(state.tables.endpoints.cursor, moved)]!.id).toBe("row 2");
    expect(selectedIndex(state.tables.endpoints.cursor, [{ id: "only" }])).toBe(0);
    expect(selectedIndex(state.tables.endpoints.cursor, [])).toBe(0);
  });

  it("what is no table is scrolled, to its last page", () => {
    const page: Page = { rows: [], lineCount: 30, height: 10 };
    expect(pressed(["?", "end"], page).scroll).toBe(20);
    expect(pressed(["?", "end", "up", "pageup"], page).scroll).toBe(9);
    expect(pressed(["?", "down"], { ...page, lineCount: 3 }).scroll).toBe(0);
  });
});

describe("Enter", () => {
  it("opens the endpoints of an edge, the distributions of an endpoint, and Esc widens again", () => {
    const page: Page = { rows: [{ id: "edge", side: "client" }], lineCount: 0, height: 10 };
    const within = pressed(["1", "enter"], page);
    expect(within).toMatchObject({ view: "endpoints", focus: { side: "client", edge: "edge", endpoint: null } });
    const deep = press(within, "enter", { ...page, rows: [{ id: "endpoint", side: "client" }] });
    expect(deep).toMatchObject({ view: "distributions", focus: { edge: "edge", endpoint: "endpoint" } });
    const out = pressed(["escape", "escape"], page, deep);
    expect(out).toMatchObject({ view: "edges", focus: { edge: null, endpoint: null } });
  });

  it("opens the endpoints that gave a status", () => {
    const page: Page = { rows: [{ id: "server 404", side: "server", status: "404" }], lineCount: 0, height: 10 };
    expect(pressed(["3", "enter"], page)).toMatchObject({ view: "endpoints", filter: "404" });
  });

  it("does nothing where there is nothing", () => {
    const empty: Page = { rows: [], lineCount: 0, height: 10 };
    for (const view of ["1", "2", "3", "4", "5", "6"]) {
      expect(pressed([view, "enter"], empty)).toEqual(pressed([view], empty));
    }
  });
});

describe("the filter", () => {
  it("takes what is typed, keys that mean something else included", () => {
    expect(pressed(["/", "q", "s", "1", "enter"])).toMatchObject({
      filter: "qs1",
      typedOver: null,
      view: "endpoints",
    });
    expect(pressed(["/", "a", "b", "backspace"])).toMatchObject({ filter: "a" });
    expect(pressed(["/", "a", "b", "ctrl-u"])).toMatchObject({ filter: "" });
  });

  it("Esc undoes what was typed, and one more the filter", () => {
    const kept = pressed(["/", "a", "enter"]);
    expect(pressed(["/", "b", "escape"], PAGE, kept)).toMatchObject({ filter: "a", typedOver: null });
    expect(pressed(["escape"], PAGE, kept)).toMatchObject({ filter: "", view: "endpoints" });
  });

  it("has an end", () => {
    expect(pressed(["/", ...Array(200).fill("x")]).filter.length).toBe(100);
  });
});

it("s, < and > choose the column, r turns the order, t the time, p pauses", () => {
  expect(pressed(["s"]).tables.endpoints).toMatchObject({ sort: "CPM", isReversed: false });
  expect(pressed(["<"]).tables.endpoints).toMatchObject({ sort: "URI" });
  expect(pressed(["r"]).tables.endpoints).toMatchObject({ isReversed: true });
  expect(pressed(["r", "s"]).tables.endpoints).toMatchObject({ isReversed: false });
  expect(pressed(["t"]).scope).toBe("window");
  expect(pressed(["p"]).isPaused).toBe(true);
});

it("+ and - go through the intervals, and stop at their ends", () => {
  expect(pressed(["+"]).intervalMs).toBe(2000);
  expect(pressed(["-"]).intervalMs).toBe(500);
  expect(pressed(Array(20).fill("+")).intervalMs).toBe(60_000);
  expect(pressed(Array(20).fill("-")).intervalMs).toBe(100);
  expect(press({ ...START, intervalMs: 1500 }, "+", PAGE).intervalMs).toBe(2000);
});

describe("effects", () => {
  const effect = (keys: readonly string[]) => {
    const before = pressed(keys.slice(0, -1));
    return effectOf(keys.at(-1)!, before, pressed(keys));
  };
  it("q and Ctrl-C quit; q is a letter in a filter, Ctrl-C never", () => {
    expect(effect(["q"])).toEqual({ kind: "quit" });
    expect(effect(["ctrl-c"])).toEqual({ kind: "quit" });
    expect(effect(["/", "q"])).toBeNull();
    expect(effect(["/", "ctrl-c"])).toEqual({ kind: "quit" });
  });

  it("0 resets, + tells the run, c and w want a sample", () => {
    expect(effect(["0"])).toEqual({ kind: "reset" });
    expect(effect(["/", "0"])).toBeNull();
    expect(effect(["+"])).toEqual({ kind: "interval", ms: 2000 });
    expect(effect(["c"])).toBeNull();
    expect(effect(["w"])).toBeNull();
  });
});

it("keys of a terminal have names", () => {
  expect(keyName("a", { name: "a" })).toBe("a");
  expect(keyName("G", { name: "g", shift: true })).toBe("G");
  expect(keyName("\u001b[A", { name: "up" })).toBe("up");
  expect(keyName("\r", { name: "return" })).toBe("enter");
  expect(keyName("\t", { name: "tab" })).toBe("tab");
  expect(keyName("\u001b[Z", { name: "tab", shift: true })).toBe("backtab");
  expect(keyName("\u0003", { name: "c", ctrl: true })).toBe("ctrl-c");
  expect(keyName("\u007f", { name: "backspace" })).toBe("backspace");
  expect(keyName("\u001b", { name: "escape", meta: true })).toBe("escape");
  expect(keyName("\u001bx", { name: "x", meta: true })).toBeNull();
  expect(keyName("?", {})).toBe("?");
  expect(keyName(undefined, {})).toBeNull();
});
