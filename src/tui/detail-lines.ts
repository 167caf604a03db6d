/** A sample whole: what happened, between whom, when, and what was sent, as lines that are painted and escaped. */
import type { Sample, SampledMessage } from "../core/profile/sample.ts";
import { escapeForCell, escapeForTerminal } from "../output/escape.ts";
import { edgeSpans } from "../output/text/labels.ts";
import { span, wrap } from "../output/text/layout.ts";
import type { Paint } from "../output/text/style.ts";
import { formatBytes, formatDuration, formatExact } from "../output/units.ts";
import { type BodyOptions, readableBody } from "./body.ts";
import { curlCommand } from "./curl.ts";
import { joined, type Segment } from "./segments.ts";
import type { Theme } from "./theme.ts";
import { timeAxis } from "./time-axis.ts";

export function detailLines(sample: Sample, theme: Theme, options: BodyOptions): string[] {
  const { request, response } = sample;
  const statusLine = `HTTP/${response.version} ${response.status} ${response.reason}`;
  return [
    ...summaryLines(sample, theme),
    "",
    ...timeAxis(sample, theme.columns - 2).map((line) => ` ${line}`),
    "",
    ...messageLines(
      `${request.method} ${request.uri} HTTP/${request.version}`,
      request,
      ">",
      theme.sent,
      theme,
      options,
    ),
    "",
    ...messageLines(statusLine, response, "<", theme.received, theme, options),
  ];
}

export function curlLines(sample: Sample, theme: Theme): string[] {
  const command = curlCommand(sample);
  return [
    "",
    // Unbroken lines, so that a terminal's own selection takes them as one.
    ...command.split("\n").flatMap((line) => wrap(escapeForTerminal(line), theme.columns)),
    "",
    ` ${theme.dim("Copied to the clipboard, if your terminal allows that (OSC 52). w writes it to a file.")}`,
    ...(command.includes("[redacted]") ? [` ${theme.notice("[redacted] stands for secrets: put yours in.")}`] : []),
  ];
}

function summaryLines(sample: Sample, theme: Theme): string[] {
  const { reasons, response, durationMs, ttfbMs, rule, trace } = sample;
  const outcome = [
    { text: String(response.status), paint: theme.status(response.status) },
    { text: reasons.join(", "), paint: theme.alarm },
    { text: `took ${formatDuration(durationMs, 3)}, first byte after ${formatDuration(ttfbMs, 3)}` },
    ...(rule === null ? [] : [{ text: `rule ${escapeForCell(rule)}`, paint: theme.dim }]),
  ];
  const ends = edgeSpans(sample, theme).map(({ text, paint }) => (paint ? { text, paint } : { text }));
  const problems = sample.traceProblems.map(({ header, problem }) => [
    span(`${escapeForCell(header)}: ${escapeForCell(problem)}`, theme.notice),
  ]);
  const traced = trace && [
    span(`trace ${escapeForCell(trace.traceId)}`, theme.strong),
    ...(trace.spanId === "" ? [] : [span(`span ${escapeForCell(trace.spanId)}`)]),
    ...(trace.parentSpanId === null ? [] : [span(`parent ${escapeForCell(trace.parentSpanId)}`)]),
    span(`${trace.system}${trace.sampled === null ? "" : trace.sampled ? ", sampled" : ", not sampled"}`, theme.dim),
  ];
  const lines = [outcome, ends, ...bothSidesParts(sample, theme), ...(traced ? [traced] : []), ...problems];
  return lines.map((parts) => ` ${joined(parts, theme.columns - 2)}`);
}

/** Where client and server are both profiled: where the time went. */
function bothSidesParts({ bothSides }: Sample, theme: Theme): Segment[][] {
  if (bothSides === undefined) return [];
  const time = (ms: number) => formatDuration(ms, 3);
  const { clientMs, serverMs, transitMs } = bothSides;
  return [
    [
      { text: `client ${time(clientMs)}` },
      { text: `server ${time(serverMs)}` },
      { text: `on the way and in queues ${time(Math.max(transitMs, 0))}`, paint: theme.strong },
    ],
  ];
}

function messageLines(
  startLine: string,
  message: SampledMessage,
  mark: string,
  paint: Paint,
  theme: Theme,
  options: BodyOptions,
): string[] {
  const { lines, note } = readableBody(message, options);
  const fields = message.headers.map(([name, value]) => `${name}: ${value}`);
  const head = [startLine, ...fields].map(escapeForTerminal);
  const body = lines.length === 0 ? [] : ["", ...lines];
  const told = [...(note === "" ? [] : [note]), ...cutNote(message)].map((text) => theme.dim(`[${text}]`));
  return [...[...head, ...body].flatMap((line) => marked(line, mark, paint, theme.columns)), ...told];
}

/** The sign of a broken line is not that of a new one, so nothing on the wire can pass for either. */
function marked(line: string, mark: string, paint: Paint, columns: number): string[] {
  return wrap(line, columns - 2).map((part, index) => `${paint(index > 0 ? "↪" : mark)} ${part}`);
}

function cutNote({ truncated, headers, body, bodyEncoding, bytes, headerBytes, bodyBytes }: SampledMessage): string[] {
  if (!truncated) return [];
  if (headers.length === 0 && body === "")
    return [`not kept: ${formatBytes(headerBytes, 3)} of headers, ${formatBytes(bodyBytes, 3)} of body`];
  if (bodyBytes === 0) return [`cut in the headers, of ${formatExact(bytes)} bytes`];
  return [`cut after ${formatExact(Buffer.byteLength(body, bodyEncoding))} of ${formatExact(bodyBytes)} body bytes`];
}
