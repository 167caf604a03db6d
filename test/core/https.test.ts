import { describe, expect, it } from "vitest";
import { FLAG_KERNEL_TLS, FLAG_WRITE } from "../../src/core/record-layout.ts";
import { answer, get } from "./messages.ts";
import { startProfiling } from "./profiling.ts";
import { START_NS } from "./wire.ts";

describe("a TLS session", () => {
  it("is an edge of its own protocol, beside plain HTTP of the same ends", () => {
    const { wire, edges, samples } = startProfiling();
    for (const tls of [undefined, "known"] as const) {
      wire
        .connection({ ...(tls && { tls }), local: "10.0.0.1:443", remote: "10.0.0.2:5000" })
        .read(get("/"))
        .write(answer(503));
    }
    expect(edges().map(({ protocol, requests, peer }) => [protocol, requests, peer.address])).toEqual([
      ["http", 1, "10.0.0.2"],
      ["https", 1, "10.0.0.2"],
    ]);
    expect(samples.map(({ protocol }) => protocol)).toEqual(["http", "https"]);
  });

  it("with the number of a socket's inode is not that socket", () => {
    const { wire, edges, capture } = startProfiling();
    const plain = wire.connection({ id: 7 }).read(get("/plain"));
    const secret = wire.connection({ id: 7, tls: "known" }).read(get("/secret"));
    plain.write(answer(200));
    secret.write(answer(404)).close();
    plain.read(get("/plain")).write(answer(200));
    expect(edges().map(({ protocol, statuses }) => [protocol, statuses])).toEqual([
      ["http", { 200: 2 }],
      ["https", { 404: 1 }],
    ]);
    expect(capture()).toMatchObject({ exchanges: 3, coverage: 1 });
  });

  it("on no known connection is counted, on an edge that says so", () => {
    const { wire, edges } = startProfiling();
    wire.connection({ tls: "unknown" }).read(get("/")).write(answer(200));
    expect(edges()).toMatchObject([{ protocol: "https", requests: 1, peer: { address: "(unknown)", port: null } }]);
  });

  it("that shows its connection later: what is complete by then stays, the rest is on the connection's edge", () => {
    const { wire, edges } = startProfiling();
    const client = wire.connection({ tls: "unknown", local: "10.0.0.1:5000", remote: "10.0.0.2:443" });
    client.write(get("/a")).read(answer(200)).write(get("/b"));
    client.learn().read(answer(200)).write(get("/c")).read(answer(200));
    expect(edges().map(({ peer, requests, inFlight }) => [peer.address, peer.port, requests, inFlight])).toEqual([
      ["10.0.0.2", 443, 2, 0],
      ["(unknown)", null, 1, 0],
    ]);
  });

  it("on no known connection ends with its process", () => {
    const { wire, capture } = startProfiling();
    wire.connection({ tls: "unknown", pid: 5 }).read(get("/"));
    wire.process(3, 5);
    expect(capture()).toMatchObject({ requests: 1, unansweredRequests: 1 });
  });
});

describe("a connection that is encrypted", () => {
  const rows = (profiling: ReturnType<typeof startProfiling>) =>
    profiling.profiler
      .total(0, 1000)
      .unreadableTls?.map(({ connections, bytes, library }) => [connections, bytes, library]);

  it("is counted with its bytes when it has ended without that its session showed", () => {
    const profiling = startProfiling();
    for (let i = 0; i < 3; i++) profiling.wire.connection({ pid: 1 }).opaque().cipher(100).cipher(23).close();
    expect(rows(profiling)).toEqual([[3, 369, "a library"]]);
    expect(profiling.warnings).toMatchObject([{ code: "tls-unreadable" }]);
  });

  it("is not counted when it ended inside a call of a library that is probed, as a handshake that fails", () => {
    const profiling = startProfiling();
    profiling.wire.connection().opaque().close();
    profiling.profiler.finish(0);
    expect([rows(profiling), profiling.warnings]).toEqual([undefined, []]);
  });

  it("is not counted once its session is known", () => {
    const profiling = startProfiling();
    profiling.wire.connection().opaque().cipher(100).bound().close();
    expect([rows(profiling), profiling.warnings]).toEqual([undefined, []]);
  });

  it("is no longer counted when its session shows late", () => {
    const profiling = startProfiling();
    const open = profiling.wire.connection().opaque().cipher(30).cipher(70, FLAG_WRITE);
    profiling.profiler.tick(profiling.wire.timeNs + 2e9);
    expect(rows(profiling)).toEqual([[1, 100, "a library"]]);
    open.cipher(50).bound();
    expect(rows(profiling)).toBeUndefined();
  });

  it("is not counted, however long the answer takes, when that shows the session", () => {
    const profiling = startProfiling();
    // The call of the library that read the request had begun before it was probed.
    const open = profiling.wire.connection({ isFresh: false }).opaque().cipher(5).cipher(300);
    profiling.profiler.tick(profiling.wire.wait(60_000).timeNs);
    expect([rows(profiling), profiling.warnings]).toEqual([undefined, []]);
    open.bound().close();
    profiling.profiler.finish(0);
    expect([rows(profiling), profiling.warnings]).toEqual([undefined, []]);
  });

  it("is counted a second after its answer went by outside of any call of a library", () => {
    const profiling = startProfiling();
    const open = profiling.wire.connection({ isFresh: false }).opaque().cipher(300);
    profiling.wire.wait(60_000);
    open.cipher(700, FLAG_WRITE);
    profiling.profiler.tick(profiling.wire.timeNs);
    expect(rows(profiling)).toBeUndefined();
    profiling.profiler.tick(profiling.wire.wait(1000).timeNs);
    expect(rows(profiling)).toEqual([[1, 1000, "a library"]]);
    expect(profiling.warnings).toHaveLength(1);
  });

  it("is counted when more and more comes in, without an answer", () => {
    const profiling = startProfiling();
    const open = profiling.wire.connection().opaque().cipher(300);
    profiling.wire.wait(1000);
    open.cipher(300);
    profiling.profiler.tick(profiling.wire.wait(1000).timeNs);
    expect(rows(profiling)).toEqual([[1, 600, "a library"]]);
    open.cipher(1);
    expect(rows(profiling)).toEqual([[1, 601, "a library"]]);
  });

  it("is not counted when it was open before and only ends", () => {
    const profiling = startProfiling();
    profiling.wire.connection({ isFresh: false }).opaque(true).cipher(24, FLAG_WRITE).cipher(24).close();
    expect([rows(profiling), profiling.warnings]).toEqual([undefined, []]);
    profiling.wire.connection({ isFresh: false }).opaque().cipher(40).cipher(41, FLAG_WRITE).close();
    expect(rows(profiling)).toEqual([[1, 81, "a library"]]);
  });

  it("by the kernel is named as that, and also what goes by beside the session that it has", () => {
    const profiling = startProfiling();
    profiling.wire.connection().opaque().cipher(300, FLAG_KERNEL_TLS).close();
    profiling.wire.connection().opaque().bound().cipher(40, FLAG_KERNEL_TLS).close();
    expect(rows(profiling)).toEqual([[2, 340, "TLS of the kernel (kTLS)"]]);
  });

  describe("and whose session is read late", () => {
    const client = { local: "10.0.0.1:5000", remote: "10.0.0.2:443" };
    const start = (profiling: ReturnType<typeof startProfiling>, isFresh = true) => {
      const open = profiling.wire.connection({ ...client, isFresh }).opaque(true);
      const session = profiling.wire.connection({ ...client, tls: "known", isFresh: false });
      return { open: open.cipher(300, FLAG_WRITE).cipher(600).cipher(100, FLAG_WRITE), session };
    };

    it("lacks what went by until then: coverage and a warning say so, in whatever order it shows", () => {
      for (const isBoundFirst of [true, false]) {
        const profiling = startProfiling();
        const { open, session } = start(profiling);
        if (isBoundFirst) open.bound(session, true);
        session.write(get("/"));
        if (!isBoundFirst) open.bound(session, true);
        session.read(answer(200)).close();
        open.close();
        profiling.finish();
        const read = get("/").length + answer(200).length;
        expect(profiling.capture()).toMatchObject({ exchanges: 1, seenBytes: 1000 + read });
        expect(profiling.capture().coverage).toBeCloseTo(read / (1000 + read));
        expect(rows(profiling)).toBeUndefined();
        expect(profiling.warnings).toEqual([
          {
            code: "tls-late",
            message:
              "server[10] port 443 had a TLS session before its library was probed: what went by until then is not counted",
          },
        ]);
      }
    });

    it("lacks it, too, if it was counted as unreadable before", () => {
      const profiling = startProfiling();
      const open = profiling.wire.connection(client).opaque(true).cipher(300, FLAG_WRITE).cipher(600);
      profiling.profiler.tick(profiling.wire.wait(2000).timeNs);
      expect(rows(profiling)).toEqual([[1, 900, "a library"]]);
      const session = profiling.wire.connection({ ...client, tls: "known", isFresh: false });
      open.cipher(100, FLAG_WRITE).bound(session, true);
      session.read(answer(200));
      expect(rows(profiling)).toBeUndefined();
      expect(profiling.capture()).toMatchObject({ seenBytes: 1000 + answer(200).length });
      expect(profiling.warnings.map(({ code }) => code)).toEqual(["tls-unreadable", "tls-late"]);
    });

    it("is counted as unreadable if it does not show to be HTTP any more, closed or open", () => {
      const profiling = startProfiling();
      for (let i = 0; i < 2; i++) {
        const { open, session } = start(profiling);
        open.bound(session, true);
        if (i === 0) open.close();
      }
      profiling.finish();
      expect([rows(profiling), profiling.capture().coverage]).toEqual([[[2, 2000, "a library"]], 1]);
    });

    it("lacks nothing that the run should have, if the connection was open before", () => {
      const profiling = startProfiling();
      const { open, session } = start(profiling, false);
      open.bound(session, true);
      session.write(get("/")).read(answer(200)).close();
      open.close();
      const before = startProfiling({ startNs: START_NS + 1e9 });
      const joined = start(before);
      before.wire.wait(1000);
      joined.open.bound(joined.session, true);
      joined.session.write(get("/")).read(answer(200)).close();
      joined.open.close();
      for (const one of [profiling, before]) {
        one.finish();
        expect(one.capture()).toMatchObject({ exchanges: 1, coverage: 1 });
        expect([rows(one), one.warnings]).toEqual([undefined, []]);
      }
    });

    it("lacks nothing if no more went by than a hello each way", () => {
      const profiling = startProfiling();
      const open = profiling.wire.connection(client).opaque(true);
      const session = profiling.wire.connection({ ...client, tls: "known", isFresh: false });
      open.cipher(300, FLAG_WRITE).cipher(500).cipher(100).bound(session, true);
      session.write(get("/")).read(answer(200)).close();
      expect([profiling.capture().coverage, profiling.warnings]).toEqual([1, []]);
    });
  });

  it("is counted at the end of the run, if it is still open", () => {
    const profiling = startProfiling();
    profiling.wire.connection().opaque().cipher(7);
    profiling.profiler.finish(0);
    expect(rows(profiling)).toEqual([[1, 7, "a library"]]);
  });
});
