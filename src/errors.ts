/**
 * What the user can do something about: one line that says what is wrong, one that says how to fix it.
 * Thrown anywhere, caught once, in main.ts, which turns it into an exit code.
 */
export class UserError extends Error {
  /** Stable word for tests and scripts, such as `not-root` or `bad-regex`. */
  readonly code: string;
  /** How to fix it, one line. */
  readonly hint: string;
  readonly exitCode: 1 | 2;

  /** `exitCode` 2: the command line is wrong; 1: it could not run (CONTRACT: exit codes). */
  constructor(code: string, message: string, hint: string, options: { exitCode?: 1 | 2; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "UserError";
    this.code = code;
    this.hint = hint;
    this.exitCode = options.exitCode ?? 1;
  }
}
