import { pairing } from "./loss.ts";
import { oracle } from "./oracle.ts";
import { accounting, splitting } from "./parser.ts";
import { ndjson, replayed, text } from "./profile.ts";
import type { Fuzzed } from "./property.ts";
import { damaged } from "./recording.ts";

export const all: readonly Fuzzed[] = [splitting, accounting, oracle, pairing, ndjson, text, replayed, damaged];
