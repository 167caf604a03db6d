import { har, pasted, pcap, prometheus, shellScript, spans } from "./exports.ts";
import { pairing } from "./loss.ts";
import { oracle } from "./oracle.ts";
import { accounting, splitting } from "./parser.ts";
import { graphs, ndjson, replayed, text } from "./profile.ts";
import type { Fuzzed } from "./property.ts";
import { damaged } from "./recording.ts";
import { screen } from "./screen.ts";

export const all: readonly Fuzzed[] = [
  ...[splitting, accounting, oracle, pairing],
  ...[ndjson, text, graphs, replayed, damaged],
  ...[har, pcap, spans, shellScript, pasted, prometheus, screen],
];
