/** Writes a recording. Synchronous and buffered: a record is copied once, and a full disk is an error at once. */
import { closeSync, fchownSync, fstatSync, openSync, writeSync } from "node:fs";
import type { RecordCursor } from "../core/decode.ts";
import type { Place } from "../core/profile/parties.ts";
import type { Ended } from "../core/profile/window.ts";
import { UserError } from "../errors.ts";
import { invokingUser } from "../invoking-user.ts";
import {
  ENTRY_DROP_REASON,
  ENTRY_END,
  ENTRY_LOST,
  ENTRY_NAME,
  ENTRY_PLACE,
  ENTRY_RECORD,
  ENTRY_TLS_LIBRARY,
  ENTRY_WARNING,
  MAGIC,
  padded,
  type RecordingHeader,
} from "./format.ts";

const BUFFER_BYTES = 1 << 20;

export class RecordingWriter {
  private readonly path: string;
  private readonly fd: number;
  private readonly buffer = Buffer.alloc(BUFFER_BYTES);
  private filled = 0;
  private lostEvents = 0;

  /** @throws UserError `cannot-write` */
  constructor(path: string, header: RecordingHeader) {
    this.path = path;
    this.fd = this.orUserError(() => openForOwner(path));
    const json = Buffer.from(JSON.stringify(header));
    const head = Buffer.alloc(16 + padded(json.length), " ");
    head.write(MAGIC, 0, "latin1");
    head.writeUInt32LE(padded(json.length), 8);
    head.writeUInt32LE(0, 12);
    json.copy(head, 16);
    this.write(head);
  }

  record(record: RecordCursor): void {
    const start = record.offset;
    this.entry(ENTRY_RECORD, record.bytes.subarray(start, start + record.size));
  }

  lost(events: number, bytes: number): void {
    if (events === this.lostEvents) return;
    this.lostEvents = events;
    const payload = Buffer.alloc(16);
    payload.writeBigUInt64LE(BigInt(events), 0);
    payload.writeBigUInt64LE(BigInt(bytes), 8);
    this.entry(ENTRY_LOST, payload);
  }

  name(pid: number, comm: string): void {
    this.numbered(ENTRY_NAME, pid, comm);
  }

  place(pid: number, place: Place): void {
    this.numbered(ENTRY_PLACE, pid, JSON.stringify(place));
  }

  tlsLibrary(pid: number, library: string): void {
    this.numbered(ENTRY_TLS_LIBRARY, pid, library);
  }

  dropReason(reason: number, name: string): void {
    this.numbered(ENTRY_DROP_REASON, reason, name);
  }

  warning(code: string, message: string, timeNs: number): void {
    const payload = Buffer.concat([Buffer.alloc(8), Buffer.from(JSON.stringify({ code, message }))]);
    payload.writeBigUInt64LE(BigInt(Math.round(timeNs)), 0);
    this.entry(ENTRY_WARNING, payload);
  }

  end(ended: Ended, timeNs: number): void {
    const payload = Buffer.concat([Buffer.alloc(8), Buffer.from(ended)]);
    payload.writeBigUInt64LE(BigInt(Math.round(timeNs)), 0);
    this.entry(ENTRY_END, payload);
    this.flush();
    closeSync(this.fd);
  }

  private numbered(type: number, number: number, text: string): void {
    const payload = Buffer.concat([Buffer.alloc(4), Buffer.from(text)]);
    payload.writeUInt32LE(number, 0);
    this.entry(type, payload);
  }

  private entry(type: number, payload: Uint8Array): void {
    const size = 8 + padded(payload.length);
    if (this.filled + size > BUFFER_BYTES) this.flush();
    this.buffer.writeUInt32LE(type, this.filled);
    this.buffer.writeUInt32LE(payload.length, this.filled + 4);
    this.buffer.set(payload, this.filled + 8);
    this.buffer.fill(0, this.filled + 8 + payload.length, this.filled + size);
    this.filled += size;
  }

  private flush(): void {
    this.write(this.buffer.subarray(0, this.filled));
    this.filled = 0;
  }

  private write(bytes: Buffer): void {
    this.orUserError(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at);
    });
  }

  private orUserError<T>(step: () => T): T {
    try {
      return step();
    } catch (cause) {
      const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
      throw new UserError(
        "cannot-write",
        `cannot write the recording ${this.path}: ${why}`,
        "name a file in a directory that you may write to, on a disk with room",
        { cause },
      );
    }
  }
}

/** It holds what went over the wire, secrets included: for its owner alone, who is the user that called sudo. */
function openForOwner(path: string): number {
  const fd = openSync(path, "w", 0o600);
  const user = invokingUser();
  if (user !== undefined && fstatSync(fd).isFile()) fchownSync(fd, user.uid, user.gid);
  return fd;
}
