/** The samples of the whole run: a table for each reason, then the evidence of the worst of each. */
import type { Sample, SampleReason } from "../../core/profile/sample.ts";
import type { Summary } from "../../core/profile/window.ts";
import { rule, span } from "./layout.ts";
import { sampleText } from "./sample.ts";
import { sampleColumns } from "./sample-columns.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";

const MOST_ROWS = 20;

interface TopList {
  readonly title: string;
  /** What its first one is. */
  readonly superlative: string;
  readonly order: string;
  /** Never empty. */
  readonly samples: readonly Sample[];
}

export function topText({ top }: Summary, style: Style): string {
  const list = (reason: SampleReason, title: string, superlative: string): TopList => {
    const samples = (top[reason] ?? []).toSorted((a, b) => b.durationMs - a.durationMs);
    return { title, superlative, order: "slowest first", samples };
  };
  const ofTrace: TopList = {
    title: "THE TRACE",
    superlative: "the first of the trace",
    order: "in order of time",
    samples: top.trace ?? [],
  };
  const lists = [
    list("slow", "SLOW EXCHANGES", "the slowest"),
    list("4xx", "CLIENT ERRORS (4xx)", "the slowest client error"),
    list("5xx", "SERVER ERRORS (5xx)", "the slowest server error"),
    ofTrace,
  ].filter(({ samples }) => samples.length > 0);
  return [...lists.map((each) => listText(each, style)), ...lists.map((each) => worstText(each, lists, style))].join(
    "",
  );
}

function listText({ title, order, samples }: TopList, style: Style): string {
  const heading = rule([span(title, style.title), span(order, style.dim)], style.columns, style.dim);
  const more = samples.length - MOST_ROWS;
  const rest = more > 0 ? `${style.dim(`… and ${more} more`)}\n` : "";
  return `${heading}${table(sampleColumns(samples, style), samples.slice(0, MOST_ROWS), style)}${rest}\n`;
}

/** One exchange may lead two lists: its evidence is shown once, under both names. */
function worstText(list: TopList, lists: readonly TopList[], style: Style): string {
  const same = lists.filter((other) => identity(other) === identity(list));
  if (same[0] !== list) return "";
  const names = same.map(({ superlative }) => superlative).join(", ");
  const heading = rule([span("EVIDENCE", style.title), span(names, style.dim)], style.columns, style.dim);
  return heading + sampleText(list.samples[0]!, style);
}

function identity({ samples: [worst] }: TopList): string {
  const { timeUs, durationMs, process, request } = worst!;
  return JSON.stringify([timeUs, durationMs, process.pid, request.uri]);
}
