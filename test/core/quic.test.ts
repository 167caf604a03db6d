import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sourceOfInitial } from "../../src/core/quic.ts";
import { startProfiling } from "./profiling.ts";

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));

/** The protected headers of RFC 9001, A.2 to A.4, and RFC 9369, A.2. */
const initialOfClient = hex("c0 00000001 08 8394c8f03e515708 00 00 449e 7b9aec34");
const initialOfServer = hex("cf 00000001 00 08 f067a5502a4262b5 00 4075 c0d9");
const retry = hex("ff 00000001 00 08 f067a5502a4262b5 74 6f 6b 65 6e");
const initialOfVersion2 = hex("d7 6b3343cf 08 8394c8f03e515708 00 00 449e a0c95e82");

const source = (bytes: Uint8Array) => sourceOfInitial(bytes, 0, bytes.length);

/** An Initial packet of a server whose id is this number. */
function initial(id: number): Uint8Array {
  const bytes = initialOfServer.slice();
  new DataView(bytes.buffer).setUint32(7, id);
  return bytes;
}

describe("the source of an Initial packet", () => {
  it("is what the header says, in both versions", () => {
    expect(source(initialOfClient)).toBe("");
    expect(source(initialOfServer)).toBe("\xf0\x67\xa5\x50\x2a\x42\x62\xb5");
    expect(source(initialOfVersion2)).toBe("");
  });

  it("is none of another packet, or of one that is cut off", () => {
    expect(source(retry)).toBeNull();
    for (let end = 0; end < 15; end++) expect(source(initialOfServer.slice(0, end))).toBeNull();
  });

  it("lies in the packet, whatever its bytes are", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => (source(bytes)?.length ?? 0) <= bytes.length));
  });
});

describe("a UDP socket that carries QUIC", () => {
  const rows = (profiling: ReturnType<typeof startProfiling>) =>
    profiling.profiler.total(0, 1000).unreadableTls?.map(({ connections, bytes }) => [connections, bytes]);

  it("of a server has a connection for each id that it has chosen, however often it is sent", () => {
    const profiling = startProfiling();
    const socket = profiling.wire.connection().quic();
    for (let i = 0; i < 10_007; i++)
      socket.datagram(1200, initialOfClient).datagram(500, initial(i), true).datagram(500, initial(i), true);
    socket.datagram(100, new Uint8Array(0));
    expect(rows(profiling)).toEqual([[10_007, 10_007 * 2200 + 100]]);
    expect(profiling.warnings).toHaveLength(1);
  });

  it("has one connection at least, and adds up with the others of its process", () => {
    const profiling = startProfiling();
    profiling.wire.connection({ pid: 5 }).quic().datagram(100, retry);
    profiling.wire.connection({ pid: 5 }).quic(true).datagram(1200, initialOfClient, true).datagram(7, initial(1));
    expect(rows(profiling)).toEqual([[2, 1307]]);
    expect(profiling.warnings).toHaveLength(1);
  });

  it("is the same when the kernel finds it again", () => {
    const profiling = startProfiling();
    profiling.wire.connection().quic().datagram(1200, initial(1)).quic().datagram(1200, initial(1));
    expect(rows(profiling)).toEqual([[1, 2400]]);
  });
});
