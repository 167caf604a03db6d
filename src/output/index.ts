import type { ViewConfig } from "../config.ts";
import { ndjson } from "./ndjson.ts";
import type { OutputFactory } from "./output.ts";
import { text } from "./text.ts";
import { dot, mermaid, topology } from "./topology/formats.ts";

/** The one lookup from `--json` or not to the format that writes it. */
export const outputs: Readonly<Record<ViewConfig["format"], OutputFactory>> = {
  text,
  ndjson,
  topology,
  dot,
  mermaid,
};
