import { WIDE } from "../../output/text/style.ts";
import { formatCount } from "../../output/units.ts";
import { VIEWS, type ViewName } from "../state.ts";
import { unreadableCount, type ViewProps } from "./header.tsx";
import { Line } from "./line.tsx";

/** The views with their keys; the one that is shown stands in brackets. */
export function Tabs({ data, state, theme }: Omit<ViewProps, "height">) {
  const alarming = unreadableCount(data) + (data.warnings.length > 0 ? 1 : 0) > 0;
  const tab = (view: ViewName, index: number) => {
    const key = view === "help" ? "?" : String(index + 1);
    return `${key} ${NAMES[view]}${COUNTED[view]?.(data) ?? ""}`;
  };
  const texts = VIEWS.map(tab);
  const isTight = texts.join(" ").length + " []".length > theme.columns;
  const painted = VIEWS.map((view, index) => {
    const text = isTight ? texts[index]!.replace(/ [\d,]+$/, "") : texts[index]!;
    if (view === state.view) return theme.selected(`[${text}]`);
    return view === "warnings" && alarming ? theme.notice(text) : theme.dim(text);
  });
  const gap = theme.columns < WIDE ? " " : "   ";
  return <Line text={` ${painted.join(gap)}`} />;
}

const NAMES: Readonly<Record<ViewName, string>> = {
  edges: "Edges",
  endpoints: "Endpoints",
  statuses: "Statuses",
  distributions: "Distributions",
  samples: "Samples",
  warnings: "Warnings",
  help: "Help",
};

const COUNTED: Readonly<Partial<Record<ViewName, (data: ViewProps["data"]) => string>>> = {
  samples: ({ sampleCount }) => (sampleCount === 0 ? "" : ` ${formatCount(sampleCount)}`),
  warnings: ({ warnings }) => (warnings.length === 0 ? "" : ` ${formatCount(warnings.length)}`),
};
