/** The screen as text: what a run told and what a user pressed, through the components that a terminal gets. */
import { renderToString } from "ink";
import { createElement } from "react";
import type { EndpointTotal } from "../../src/core/profile/edge.ts";
import type { Metrics } from "../../src/core/profile/figures.ts";
import type { Summary, Window } from "../../src/core/profile/window.ts";
import { App, type Model, pageOf } from "../../src/tui/app.tsx";
import { press } from "../../src/tui/press.ts";
import { RunDataCollector } from "../../src/tui/run-data.ts";
import { initialState, type Size, type State } from "../../src/tui/state.ts";
import { themeOf } from "../../src/tui/theme.ts";
import { type Parts, readFixture, view } from "../output/fixture.ts";

export interface Shown {
  readonly size?: Size;
  readonly color?: boolean;
  readonly over?: Partial<Model>;
}

export const SMALL: Size = { columns: 80, rows: 24 };

/** The model after these parts and keys. */
export function modelOf(parts: readonly Partial<Parts>[], keys: readonly string[], shown: Shown = {}): Model {
  const { size = SMALL, color = false, over = {} } = shown;
  const collector = new RunDataCollector();
  for (const part of parts) {
    if (part.start) collector.start(part.start);
    if (part.metrics) collector.window(withEndpoints(part.metrics));
    if (part.sample) collector.sample(part.sample);
    if (part.warning) collector.warning(part.warning);
    if (part.summary) collector.total(withEndpoints(part.summary));
  }
  const total = parts.findLast(({ summary }) => summary)?.summary;
  const model: Model = {
    data: collector.picture(),
    state: initialState("endpoints", size, 1000),
    theme: themeOf(view({ color }), size.columns),
    distributions: total?.edges[0] ? withBuckets(total.edges[0]) : null,
    reading: null,
    cost: { all: 0.123, screen: 0.01 },
    showSecrets: false,
    ...over,
  };
  let { state } = model;
  for (const key of keys) state = press(state, key, pageOf({ ...model, state }));
  return { ...model, state };
}

/** Of one of the runs that the other outputs are tested with. */
export function fixtureModel(name: string, keys: readonly string[], shown: Shown = {}): Model {
  return modelOf(readFixture(name).parts, keys, shown);
}

export function render(model: Model): string {
  return renderToString(createElement(App, { model }), { columns: model.state.size.columns });
}

export function stateAfter(keys: readonly string[], from: State = initialState("endpoints", SMALL, 1000)): State {
  const page = { rows: [], lineCount: 100, height: 20 };
  return keys.reduce((state, key) => press(state, key, page), from);
}

/** As core/overview.ts does where each endpoint has one edge, which is so in the fixtures. */
function withEndpoints<T extends Window | Summary>(window: T): T {
  const endpoints = window.edges.flatMap(({ side, process, peer, endpoints }): EndpointTotal[] => {
    const names = { side, comm: process.comm, called: side === "client" ? peer : null };
    return endpoints.map((endpoint) => ({ ...names, ...endpoint }));
  });
  return { ...window, endpoints };
}

/** A distribution whose buckets have its quantiles. */
function withBuckets(metrics: Metrics): Metrics {
  const spread = (of: Metrics["durationMs"]) => {
    const share = (part: number) => Math.round(of.count * part);
    const buckets = [
      [of.min, 1],
      [of.p50, share(0.5)],
      [of.p90, share(0.4)],
      [of.p99, share(0.09)],
      [of.max, 1],
    ] as const;
    return { ...of, buckets };
  };
  return {
    ...metrics,
    durationMs: spread(metrics.durationMs),
    ttfbMs: spread(metrics.ttfbMs),
    requestBytes: spread(metrics.requestBytes),
    responseBytes: spread(metrics.responseBytes),
  };
}
