/** How the four quantities are spread, on logarithmic scales with their quantiles. */
import { Box } from "ink";
import type { Distribution, Metrics } from "../../core/profile/figures.ts";
import { escapeForCell } from "../../output/escape.ts";
import { formatBytes, formatCounted, formatDuration } from "../../output/units.ts";
import { columnChart } from "../chart.ts";
import { axis, logScale, quantileMarks } from "../log-scale.ts";
import { fitted, joined, type Segment, titleLine } from "../segments.ts";
import type { Theme } from "../theme.ts";
import type { ViewProps } from "./header.tsx";
import { Lines } from "./line.tsx";
import { edgeName, sinceText } from "./scope.ts";

interface Quantity {
  readonly name: string;
  readonly of: Distribution;
  readonly format: (value: number) => string;
  /** In the unit of the distribution: what the scale may begin with. */
  readonly smallest: number;
}

const MICROSECOND_MS = 0.001;

export function Distributions(props: ViewProps & { readonly distributions: Metrics | null }) {
  const { data, state, theme, height, distributions } = props;
  const title = titleLine(titleSegments(props), "", theme.columns, theme.dim);
  if (distributions === null || distributions.requests === 0) {
    const side = state.focus.side === "server" ? "served" : "called";
    return (
      <Lines
        lines={[
          title,
          "",
          `  ${theme.dim(data.window === null ? "no HTTP exchange yet" : `nothing was ${side} here: ← and → change the side`)}`,
        ]}
      />
    );
  }
  const width = Math.floor((theme.columns - 1) / 2);
  const rows = Math.floor((height - 1) / 2);
  const panel = (quantity: Quantity) => (
    <Box key={quantity.name} width={width} height={rows}>
      <Lines lines={panelLines(quantity, width - 1, rows, theme)} />
    </Box>
  );
  const [duration, ttfb, request, response] = quantitiesOf(distributions, theme).map(panel);
  return (
    <Box flexDirection="column">
      <Lines lines={[title]} />
      <Box>
        {duration}
        {ttfb}
      </Box>
      <Box>
        {request}
        {response}
      </Box>
    </Box>
  );
}

function titleSegments({
  data,
  state: { focus },
  theme,
  distributions,
}: Parameters<typeof Distributions>[0]): Segment[] {
  const uri = focus.endpoint?.split("\0").slice(-2).join(" ");
  return [
    { text: "DISTRIBUTIONS", paint: theme.title },
    { text: focus.side === "server" ? "of what was served" : "of what was called", drop: 1 },
    ...(uri === undefined ? [] : [{ text: escapeForCell(uri.trim()), paint: theme.strong }]),
    ...(focus.edge === null ? [] : [{ text: edgeName(data, focus.edge), paint: theme.strong }]),
    { text: formatCounted(distributions?.requests ?? 0, "exchange") },
    { text: sinceText(data), paint: theme.dim, drop: 2 },
  ];
}

function quantitiesOf({ durationMs, ttfbMs, requestBytes, responseBytes }: Metrics, { digits }: Theme): Quantity[] {
  const time = { format: (ms: number) => formatDuration(ms, digits), smallest: MICROSECOND_MS };
  const size = { format: (bytes: number) => formatBytes(bytes, digits), smallest: 1 };
  return [
    { name: "DURATION", of: durationMs, ...time },
    { name: "FIRST BYTE", of: ttfbMs, ...time },
    { name: "REQUEST SIZE", of: requestBytes, ...size },
    { name: "RESPONSE SIZE", of: responseBytes, ...size },
  ];
}

/** Name and quantiles, the columns, the marks of the quantiles, the scale. */
function panelLines({ name, of, format, smallest }: Quantity, width: number, height: number, theme: Theme): string[] {
  const columns = Math.max(1, width - 2);
  const scale = logScale(of, columns, smallest);
  const figure = (label: string, value: number, drop: number): Segment => ({ text: `${label} ${format(value)}`, drop });
  const head = fitted(
    [
      { text: name, paint: theme.strong },
      figure("50%", of.p50, 1),
      figure("95%", of.p95, 2),
      figure("99%", of.p99, 3),
      figure("max", of.max, 4),
    ],
    columns,
    1,
  );
  return [
    ` ${joined(head, columns, 1)}`,
    ...columnChart(scale.counts, Math.max(1, height - 4)).map((line) => ` ${theme.bar(line)}`),
    ` ${theme.mark(quantileMarks(of, scale, columns))}`,
    ` ${theme.dim(axis(scale, columns, format))}`,
  ];
}
