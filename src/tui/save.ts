/** A sample as a file: what the screen shows of it, whole, and the curl command. */
import { closeSync, fchownSync, openSync, writeFileSync } from "node:fs";
import type { ViewConfig } from "../config.ts";
import type { Sample } from "../core/profile/sample.ts";
import { invokingUser } from "../invoking-user.ts";
import { escapeForTerminal } from "../output/escape.ts";
import { rfc3339 } from "../output/rfc3339.ts";
import { curlCommand } from "./curl.ts";
import { detailLines } from "./detail-lines.ts";
import { themeOf } from "./theme.ts";

const FILE_COLUMNS = 160;

/** In the working directory; answers what to tell the user. */
export function saveSample(sample: Sample, view: ViewConfig, showSecrets: boolean): string {
  const name = `l7prof-${rfc3339(sample.timeUs).replaceAll(":", "")}-${sample.response.status}.txt`;
  try {
    writeForOwner(name, sampleFile(sample, view, showSecrets));
    return `written to ${name}`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "EEXIST" ? `${name} is there already` : `can't write ${name}: ${code}`;
  }
}

function sampleFile(sample: Sample, view: ViewConfig, showSecrets: boolean): string {
  const theme = themeOf({ ...view, color: false }, FILE_COLUMNS);
  const lines = detailLines(sample, theme, { isRaw: false, showSecrets });
  return `${[rfc3339(sample.timeUs), ...lines, "", escapeForTerminal(curlCommand(sample))].join("\n")}\n`;
}

/** It holds what went over the wire: for its owner alone, who is the user that called sudo. */
function writeForOwner(name: string, text: string): void {
  const fd = openSync(name, "wx", 0o600);
  try {
    const user = invokingUser();
    if (user !== undefined) fchownSync(fd, user.uid, user.gid);
    writeFileSync(fd, text);
  } finally {
    closeSync(fd);
  }
}
