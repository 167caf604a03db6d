/** An exchange over time: when its request went, how long it waited, when its response went, and in which calls. Pure. */
import type { Instant } from "../core/profile/instant.ts";
import type { Sample, SampleEvent } from "../core/profile/sample.ts";
import { formatBytes, formatDuration, formatExact } from "../output/units.ts";

interface Stretch {
  readonly name: string;
  readonly fromUs: number;
  readonly toUs: number;
  /** Told apart without colour. */
  readonly block: string;
  readonly note: string;
}

const NAME_WIDTH = 12;
const FIGURES_WIDTH = 36;
const LEAST_BAR = 10;
const MOST_CALLS = 20;

export function timeAxis(sample: Sample, columns: number): string[] {
  const [asked, answered, ...calls] = sample.events;
  if (asked === undefined || answered === undefined) return [];
  const since = (instant: Instant) => microseconds(asked.start, instant);
  const stretches = [...messages(asked, answered, sample, since), ...calls.slice(0, MOST_CALLS).map(call(since))];
  const startUs = Math.min(...stretches.map(({ fromUs }) => fromUs));
  const endUs = Math.max(...stretches.map(({ toUs }) => toUs), startUs + 1);
  const rest = calls.length - MOST_CALLS;
  return [
    ...stretches.map((stretch) => lineOf(stretch, startUs, endUs, columns)),
    ...(rest > 0 ? [`… and ${formatExact(rest)} more socket calls`] : []),
  ];
}

function lineOf({ name, fromUs, toUs, block, note }: Stretch, startUs: number, endUs: number, columns: number): string {
  const width = Math.max(LEAST_BAR, columns - NAME_WIDTH - FIGURES_WIDTH);
  const cell = (timeUs: number) => Math.round(((timeUs - startUs) / (endUs - startUs)) * width);
  const from = Math.min(cell(fromUs), width - 1);
  const bar = (" ".repeat(from) + block.repeat(Math.max(1, cell(toUs) - from))).padEnd(width);
  const time = (us: number) => formatDuration((us - startUs) / 1000, 3).padStart(7);
  const times = toUs > fromUs ? `${time(fromUs)} –${time(toUs)}` : `${time(fromUs)}         `;
  return `${name.padEnd(NAME_WIDTH)}${bar}  ${times}  ${note}`.trimEnd();
}

/** The wait lies between the two; where the response begins before the request has ended there is none. */
function messages(
  asked: SampleEvent,
  answered: SampleEvent,
  { side, request, response }: Sample,
  since: (instant: Instant) => number,
): Stretch[] {
  const [taken, given] = side === "server" ? ["read", "written"] : ["written", "read"];
  const [askedUs, answeredUs] = [since(asked.end), since(answered.start)];
  const waitMs = (answeredUs - askedUs) / 1000;
  const waiting = { name: "waiting", fromUs: askedUs, toUs: answeredUs, block: "·", note: formatDuration(waitMs, 3) };
  const message = (name: string, { start, end }: SampleEvent, block: string, note: string) => {
    return { name, fromUs: since(start), toUs: since(end), block, note };
  };
  return [
    message("request", asked, "▒", `${formatBytes(request.bytes, 3)} ${taken}`),
    ...(waitMs > 0 ? [waiting] : []),
    message("response", answered, "█", `${formatBytes(response.bytes, 3)} ${given}`),
  ];
}

/** The kernel side sees a call when it returns: a point in time. */
function call(since: (instant: Instant) => number) {
  return ({ name, end, summary: { data_size = 0, retransmits = 0 } }: SampleEvent): Stretch => ({
    name: `· ${name.replace(/^Syscall /, "").toLowerCase()}`,
    fromUs: since(end),
    toUs: since(end),
    block: "│",
    note: `${formatBytes(data_size, 3)}${retransmits > 0 ? `, ${formatExact(retransmits)} sent again` : ""}`,
  });
}

function microseconds(from: Instant, to: Instant): number {
  return (to.seconds - from.seconds) * 1e6 + (to.nanos - from.nanos) / 1e3;
}
