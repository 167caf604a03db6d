import type { Config } from "../config.ts";
import type { View } from "../view.ts";

/** The live screen; `after` gets the summary when it is gone. */
export async function openScreen(config: Config, after: View): Promise<View> {
  // React reads it when it is loaded: without it, it checks and measures itself.
  process.env.NODE_ENV ??= "production";
  const { Screen } = await import("./screen.tsx");
  return new Screen(config, after);
}
