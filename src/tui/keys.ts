/** What Node's readline says of a key → the name that the rest of the screen knows it by. */
import type { Key as NodeKey } from "node:readline";

/** Null for what has no meaning here. */
export function keyName(text: string | undefined, { name, ctrl, meta, shift }: NodeKey): string | null {
  if (ctrl) return name === undefined ? null : `ctrl-${name}`;
  if (name === "tab") return shift ? "backtab" : "tab";
  if (name === "escape") return "escape";
  if (meta) return null;
  if (name !== undefined && name in NAMED) return NAMED[name]!;
  return text !== undefined && text.length === 1 && text >= " " && text !== "\u007f" ? text : null;
}

const NAMED: Readonly<Record<string, string>> = {
  up: "up",
  down: "down",
  left: "left",
  right: "right",
  pageup: "pageup",
  pagedown: "pagedown",
  home: "home",
  end: "end",
  return: "enter",
  enter: "enter",
  backspace: "backspace",
};
