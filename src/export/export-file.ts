/** A file that an export writes piece by piece. A disk that is full loses the rest, counted, and nothing else. */
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { UserError } from "../errors.ts";
import type { Delivered, Trouble } from "./exporter.ts";

export class ExportFile {
  private readonly path: string;
  private readonly what: string;
  private readonly onTrouble: Trouble;
  private readonly fd: number;
  private readonly isRegular: boolean;
  /** Where the last whole piece ended. */
  private size = 0;
  private sent = 0;
  private givenUp = 0;
  private why = "";

  /** @throws UserError `cannot-write` */
  constructor(flag: string, path: string, what: string, onTrouble: Trouble, mode = 0o666) {
    this.path = path;
    this.what = what;
    this.onTrouble = onTrouble;
    try {
      this.fd = openSync(path, "w", mode);
      this.isRegular = fstatSync(this.fd).isFile();
    } catch (cause) {
      const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
      throw new UserError(
        "cannot-write",
        `${flag}: cannot write ${path}: ${why}`,
        "name a file that you may write to",
        {
          cause,
        },
      );
    }
  }

  get isEmpty(): boolean {
    return this.sent === 0;
  }

  /** One of what it holds; false if it could not be written. */
  put(piece: string | Uint8Array): boolean {
    if (this.write(piece)) {
      this.sent++;
      return true;
    }
    this.givenUp++;
    return false;
  }

  /** What goes around them. A piece that does not fit whole is taken back. */
  write(piece: string | Uint8Array): boolean {
    const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
    try {
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(this.fd, bytes, at, bytes.length - at, this.isRegular ? this.size + at : null);
      }
      this.size += bytes.length;
      return true;
    } catch (error) {
      this.failed(error as NodeJS.ErrnoException);
      return false;
    }
  }

  end(closing = ""): Delivered {
    if (closing !== "") this.write(closing);
    closeSync(this.fd);
    return { what: `${this.what} in ${this.path}`, sent: this.sent, givenUp: this.givenUp, why: this.why };
  }

  private failed(error: NodeJS.ErrnoException): void {
    if (this.why === "") this.onTrouble(`${this.path} could not be written: ${error.code ?? error.message}`);
    this.why = error.code ?? error.message;
    try {
      if (this.isRegular) ftruncateSync(this.fd, this.size);
    } catch {
      // then the last piece stays cut
    }
  }
}
