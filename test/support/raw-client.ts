import { connect, type NetConnectOpts, type Socket } from "node:net";
import { onCleanup } from "./cleanup.ts";

export interface RawResponse {
  readonly status: number;
  readonly body: Buffer;
}

/** One connection on which a test says exactly which bytes go out in which write. */
export interface RawConnection {
  readonly socket: Socket;
  readonly write: (bytes: string | Buffer) => Promise<void>;
  /** The next response that has a Content-Length, or none and no body. `bodiless`: the answer to HEAD. */
  readonly response: (options?: { bodiless?: boolean }) => Promise<RawResponse>;
  /** The next `size` bytes, whatever they are. */
  readonly bytes: (size: number) => Promise<Buffer>;
  /** Everything up to and with this text. */
  readonly until: (text: string) => Promise<Buffer>;
  readonly close: () => Promise<void>;
}

export function connectRaw(options: NetConnectOpts): Promise<RawConnection> {
  return new Promise((resolve, reject) => {
    const socket = connect(options, () => resolve(rawConnection(socket)));
    socket.on("error", reject);
  });
}

export function getRequest(path: string, headers = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: test\r\n${headers}\r\n`;
}

export function rawConnection(socket: Socket): RawConnection {
  let received = Buffer.alloc(0);
  let wake = () => {};
  socket.setNoDelay(true);
  socket.on("data", (data) => {
    received = Buffer.concat([received, data]);
    wake();
  });
  socket.on("close", () => wake());
  onCleanup(() => socket.destroy());

  const take = (size: number) => {
    const taken = received.subarray(0, size);
    received = received.subarray(size);
    return taken;
  };
  const holds = async (isThere: () => boolean) => {
    while (!isThere()) {
      if (socket.destroyed) throw new Error(`the connection ended after ${JSON.stringify(String(received))}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const bytes = async (size: number) => {
    await holds(() => received.length >= size);
    return take(size);
  };

  return {
    socket,
    bytes,
    until: async (text) => {
      await holds(() => received.includes(text));
      return take(received.indexOf(text) + text.length);
    },
    write: (data) =>
      new Promise((resolve, reject) => socket.write(data, (error) => (error ? reject(error) : resolve()))),
    response: async ({ bodiless = false } = {}) => {
      await holds(() => received.includes("\r\n\r\n"));
      const head = take(received.indexOf("\r\n\r\n") + 4).toString("latin1");
      const length = bodiless ? 0 : Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      return { status: Number(head.split(" ")[1]), body: await bytes(length) };
    },
    close: () =>
      new Promise((resolve) => {
        socket.once("close", () => resolve());
        socket.end();
        if (socket.destroyed) resolve();
      }),
  };
}
