import { escapeForCell } from "../../output/escape.ts";
import { clock } from "../../output/text/clock.ts";
import { titleLine } from "../segments.ts";
import type { Theme } from "../theme.ts";
import { Lines } from "./line.tsx";

export interface ScrolledProps {
  readonly name: string;
  /** What stands behind the name. */
  readonly about: string;
  readonly lines: readonly string[];
  readonly scroll: number;
  readonly theme: Theme;
  readonly height: number;
}

/** Lines that may be more than there is room for. */
export function Scrolled({ name, about, lines, scroll, theme, height }: ScrolledProps) {
  const room = height - 1;
  const from = Math.max(0, Math.min(scroll, lines.length - room));
  const place = lines.length <= room ? "" : `${from + 1}–${Math.min(from + room, lines.length)} of ${lines.length}`;
  const title = [{ text: name, paint: theme.title }, ...(about === "" ? [] : [{ text: about, paint: theme.strong }])];
  return <Lines lines={[titleLine(title, place, theme.columns, theme.dim), ...lines.slice(from, from + room)]} />;
}

/** `10:00:01.500Z GET /x` */
export function sampleName({ timeUs, request }: { timeUs: number; request: { method: string; uri: string } }): string {
  return `${clock(timeUs)} ${escapeForCell(request.method)} ${escapeForCell(request.uri)}`;
}
