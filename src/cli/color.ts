/** What the terminal can. Whether to colour: NO_COLOR (no-color.org) over FORCE_COLOR (force-color.org) over what the terminal is. */

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of stdout. */
  readonly isTty: boolean;
  /** Stdin is a terminal, too. */
  readonly hasKeyboard: boolean;
  readonly columns: number | undefined;
}

/** `isAllowed`: no --no-color, no -o, no --json. */
export function useColor(terminal: Terminal, isAllowed: boolean): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = terminal.env;
  if (!isAllowed || NO_COLOR) return false;
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return terminal.isTty && TERM !== "dumb";
}

/** Whether there is a screen that can be drawn on, and keys to steer it. */
export function canShowScreen({ env, isTty, hasKeyboard }: Terminal): boolean {
  return isTty && hasKeyboard && env.TERM !== "dumb";
}
