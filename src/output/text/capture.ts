/** What l7prof saw and what it did not, so that a reader knows how far the numbers go. */
import type { Total, UnreadableTls } from "../../core/profile/window.ts";
import { escapeForCell } from "../escape.ts";
import { formatBytes, formatCounted, formatExact, formatPercent } from "../units.ts";
import { processLabel } from "./labels.ts";
import { flow, rule, sentence, span } from "./layout.ts";
import type { Style } from "./style.ts";

type Row = readonly [name: string, value: string, meaning: string];

const NAME_WIDTH = "unanswered requests".length;

export function captureText(total: Total, style: Style): string {
  const heading = rule(
    [span("CAPTURE", style.title), span("what was seen, and what was not", style.dim)],
    style.columns,
    style.dim,
  );
  const rows = [...trafficRows(total), ...lossRows(total)];
  const width = Math.max(...rows.map(([, value]) => value.length));
  const lines = rows.map(([name, value, meaning]) => {
    const figure = span(`${name.padEnd(NAME_WIDTH)} ${value.padStart(width)}`);
    const next = " ".repeat(NAME_WIDTH + 1);
    return flow(meaning === "" ? [figure] : [figure, span(meaning, style.dim)], style.columns, { next });
  });
  return heading + lines.join("") + unreadable(total, style) + alarms(total, style);
}

function trafficRows({ capture }: Total): Row[] {
  return [
    ["events", formatExact(capture.events), "socket calls and connection changes that were read"],
    ["bytes seen", formatBytes(capture.seenBytes, 3), "on HTTP connections"],
    ["bytes copied", formatBytes(capture.capturedBytes, 3), "to read the messages"],
    ["requests", formatExact(capture.requests), ""],
    ["responses", formatExact(capture.responses), ""],
    ["exchanges", formatExact(capture.exchanges), "requests with their response: what is counted above"],
    ["tunnel bytes", formatBytes(capture.tunnelBytes, 3), "after connections left HTTP (WebSocket, CONNECT)"],
  ];
}

function lossRows({ capture, samplesHeldBack }: Total): Row[] {
  return [
    ["lost events", formatExact(capture.lostEvents), "the buffer between the kernel and l7prof was full"],
    ["unanswered requests", formatExact(capture.unansweredRequests), "no response before the connection ended"],
    ["orphan responses", formatExact(capture.orphanResponses), "their request was sent before, or there was none"],
    ["unparsed messages", formatExact(capture.unparsedMessages), "not HTTP/1, or broken"],
    ["samples held back", formatExact(samplesHeldBack), "not printed live: --max-samples-per-second"],
    ["coverage", `${formatPercent(capture.coverage, 2)} %`, "of the bytes of HTTP connections were accounted for"],
  ];
}

function unreadable({ unreadableTls = [] }: Total, style: Style): string {
  if (unreadableTls.length === 0) return "";
  const lines = unreadableTls.map((row) => flow([span(unreadableText(row))], style.columns, { next: "  " }));
  return `\n${sentence("TLS seen, not readable:", style.columns, style.alarm)}${lines.join("")}`;
}

function unreadableText({ process, library, connections, bytes }: UnreadableTls): string {
  const counts = `${formatCounted(connections, "connection")}, ${formatBytes(bytes, 2)}`;
  return `${processLabel(process)}  ${escapeForCell(library)}, ${counts}`;
}

function alarms({ capture }: Total, style: Style): string {
  const lost =
    `${formatCounted(capture.lostEvents, "event")} lost because the buffer between the kernel and l7prof was full: ` +
    "some exchanges are missing above. A larger --buffer-size helps.";
  const uncovered =
    `Coverage is ${formatPercent(capture.coverage, 2)} %: part of the HTTP traffic could not be read, so the counts ` +
    "above are too low and some durations may be wrong.";
  const found = [...(capture.lostEvents > 0 ? [lost] : []), ...(capture.coverage < 1 ? [uncovered] : [])];
  return found.map((text) => `\n${sentence(text, style.columns, style.alarm)}`).join("");
}
