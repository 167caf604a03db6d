/** With `--tcp`: what TCP went through, a row an edge. */
import type { EdgeProfile, TcpProfile } from "../../core/profile/edge.ts";
import type { Distribution } from "../../core/profile/figures.ts";
import { formatBytes, formatCount } from "../units.ts";
import { durationCell } from "./figures.ts";
import { edgeLabel } from "./labels.ts";
import { type Style, VERY_WIDE, WIDE } from "./style.ts";
import { type Column, table } from "./table.ts";

interface Row {
  readonly edge: EdgeProfile;
  readonly tcp: TcpProfile;
}

export function tcpTable(edges: readonly EdgeProfile[], most: number, style: Style): string {
  const rows = edges.flatMap((edge) => (edge.tcp ? [{ edge, tcp: edge.tcp }] : []));
  if (!style.showsTcp || rows.length === 0) return "";
  const shown = rows.slice(0, most);
  return `${table(columns(style), shown, style)}${hidden(rows.length - most, style)}${drops(shown, style)}\n`;
}

/** A line an edge: the kernel's reasons are long words. */
function drops(rows: readonly Row[], style: Style): string {
  const lines = rows.flatMap(({ edge, tcp: { drops } }) => {
    if (drops === undefined) return [];
    const byCount = Object.entries(drops).sort(([, a], [, b]) => b - a);
    const reasons = byCount.map(([reason, count]) => `${formatCount(count)} ${reason}`).join(", ");
    return [`${style.alarm("dropped")} ${edgeLabel(edge)}: ${reasons}\n`];
  });
  return lines.join("");
}

function hidden(count: number, style: Style): string {
  return count > 0 ? `${style.dim(`… and ${count} more of TCP`)}\n` : "";
}

function columns(style: Style): Column<Row>[] {
  const count = (title: string, name: keyof TcpProfile & `${string}s`, from = 0): Column<Row> => ({
    title,
    align: "right",
    from,
    cell: ({ tcp }) => formatCount(tcp[name] as number),
  });
  const bytes = (title: string, name: "readBytes" | "writtenBytes"): Column<Row> => ({
    title,
    align: "right",
    cell: ({ tcp }) => formatBytes(tcp[name], style.digits),
  });
  return [
    { title: "TCP", align: "left", isFlexible: true, cell: ({ edge }) => edgeLabel(edge) },
    { title: "SIDE", align: "left", from: WIDE, cell: ({ edge }) => edge.side },
    bytes("READ", "readBytes"),
    count("READS", "readCalls", VERY_WIDE),
    bytes("WRITTEN", "writtenBytes"),
    count("WRITES", "writeCalls", VERY_WIDE),
    { title: "OPENED", align: "right", cell: ({ tcp }) => formatCount(tcp.connects + tcp.accepts) },
    count("OPEN", "openConnections"),
    count("CLOSED", "closes", WIDE),
    troubles("RESET", ({ resets, aborts, timeouts }) => resets + aborts + timeouts, style),
    troubles("FAILED", ({ failedConnects }) => failedConnects, style),
    troubles("RETRANS", ({ retransmits }) => retransmits, style),
    { title: "READING", align: "right", from: VERY_WIDE, cell: ({ tcp }) => callTime(tcp.readMs, style) },
    { title: "WRITING", align: "right", from: VERY_WIDE, cell: ({ tcp }) => callTime(tcp.writeMs, style) },
    { title: "CONNECT", align: "right", from: WIDE, cell: ({ tcp }) => durationCell(tcp.connectMs, "p50", style) },
    { title: "SRTT", align: "right", cell: ({ tcp }) => durationCell(tcp.srttMs, "p50", style) },
    { title: "± VAR", align: "right", cell: ({ tcp }) => durationCell(tcp.rttvarMs, "p50", style) },
  ];
}

/** Not of recordings without. */
function callTime(time: Distribution | undefined, style: Style): string {
  return time === undefined ? "" : durationCell(time, "p99", style);
}

function troubles(title: string, countOf: (tcp: TcpProfile) => number, style: Style): Column<Row> {
  return {
    title,
    align: "right",
    cell: ({ tcp }) => formatCount(countOf(tcp)),
    paint: ({ tcp }) => (countOf(tcp) > 0 ? style.alarm : style.dim),
  };
}
