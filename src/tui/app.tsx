/** The whole screen as a function of what the run told and where the user is. */
import { Box } from "ink";
import type { Metrics } from "../core/profile/figures.ts";
import { curlLines, detailLines } from "./detail-lines.ts";
import { helpLines } from "./help-lines.ts";
import { edgeRows, endpointRows, sampleRows, statusRows } from "./rows.ts";
import type { RunData } from "./run-data.ts";
import type { Page, Row, State } from "./state.ts";
import type { Theme } from "./theme.ts";
import { Scrolled, sampleName } from "./views/detail.tsx";
import { Distributions } from "./views/distributions.tsx";
import { Edges } from "./views/edges.tsx";
import { Endpoints } from "./views/endpoints.tsx";
import { Footer, type Reading } from "./views/footer.tsx";
import { Header } from "./views/header.tsx";
import { Samples } from "./views/samples.tsx";
import { Statuses } from "./views/statuses.tsx";
import { Tabs } from "./views/tabs.tsx";
import { type OwnCost, warningLines } from "./warning-lines.ts";

export interface Model {
  readonly data: RunData;
  readonly state: State;
  readonly theme: Theme;
  readonly distributions: Metrics | null;
  readonly reading: Reading | null;
  readonly cost: OwnCost;
  readonly showSecrets: boolean;
}

/** Header, tabs and footer. */
const OTHER_LINES = 3;
/** A table has a title and a line of titles, anything else a title. */
const TABLE_HEAD_LINES = 2;

export function App({ model }: { readonly model: Model }) {
  const { state, theme, reading } = model;
  const { columns, rows } = state.size;
  return (
    <Box flexDirection="column" width={columns} height={rows} overflow="hidden">
      <Header {...model} />
      <Tabs {...model} />
      <Box height={viewHeight(state)} overflow="hidden">
        <View model={model} />
      </Box>
      <Footer state={state} theme={theme} reading={reading} />
    </Box>
  );
}

/** What keys act on. */
export function pageOf(model: Model): Page {
  const height = viewHeight(model.state);
  const lines = scrolledLines(model);
  if (lines !== null) return { rows: [], lineCount: lines.length, height: height - 1 };
  return { rows: tableRows(model), lineCount: 0, height: height - TABLE_HEAD_LINES };
}

function View({ model }: { readonly model: Model }) {
  const { state, theme } = model;
  const props = { ...model, height: viewHeight(state) };
  const lines = scrolledLines(model);
  if (lines !== null)
    return <Scrolled {...props} {...scrolledTitle(model)} lines={lines} scroll={state.scroll} theme={theme} />;
  switch (state.view) {
    case "edges":
      return <Edges {...props} />;
    case "endpoints":
      return <Endpoints {...props} />;
    case "statuses":
      return <Statuses {...props} />;
    case "distributions":
      return <Distributions {...props} />;
    default:
      return <Samples {...props} />;
  }
}

function viewHeight({ size }: State): number {
  return Math.max(1, size.rows - OTHER_LINES);
}

/** Null where there is a table or a chart. */
function scrolledLines({ data, state, theme, cost, showSecrets }: Model): readonly string[] | null {
  const { view, detail, isCurl, isRaw } = state;
  if (detail !== null) return isCurl ? curlLines(detail, theme) : detailLines(detail, theme, { isRaw, showSecrets });
  if (view === "warnings") return warningLines(data, cost, theme);
  return view === "help" ? helpLines(theme) : null;
}

function scrolledTitle({ state: { view, detail, isCurl } }: Model): { name: string; about: string } {
  if (detail !== null) return { name: isCurl ? "CURL" : "SAMPLE", about: sampleName(detail) };
  return view === "help" ? { name: "HELP", about: "" } : { name: "TLS AND WARNINGS", about: "" };
}

function tableRows({ data, state, theme }: Model): readonly Row[] {
  switch (state.view) {
    case "edges":
      return edgeRows(data, state, theme);
    case "endpoints":
      return endpointRows(data, state, theme);
    case "statuses":
      return statusRows(data, state);
    case "samples":
      return sampleRows(data, state, theme);
    default:
      return [];
  }
}
