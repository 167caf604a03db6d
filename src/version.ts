/** The version of l7prof, from package.json, which lies above src/ and dist/ alike. */
import { readFileSync } from "node:fs";

export function version(): string {
  return JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;
}
