/** What is missing, late or not copied: nothing is paired wrongly, and what can't be known is counted. */
import { describe, expect, it } from "vitest";
import { FLAG_OVERTAKES } from "../../src/core/record-layout.ts";
import { answer, chunked, get, request } from "./messages.ts";
import { imbalance, inFlight, type Profiling, startProfiling } from "./profiling.ts";
import type { WireConnection, WireOptions } from "./wire.ts";

function server(options: WireOptions = {}): [Profiling, WireConnection] {
  const profiling = startProfiling();
  return [profiling, profiling.wire.connection(options)];
}

function client(options: WireOptions = {}): [Profiling, WireConnection] {
  return server({ local: "10.0.0.2:40000", remote: "10.0.0.1:80", ...options });
}

const WHOLE = { unansweredRequests: 0, orphanResponses: 0, unparsedMessages: 0, coverage: 1 };

describe("bytes that were not copied", () => {
  it("inside a body of known length are as good as seen", () => {
    const [profiling, c] = server();
    const upload = request("POST", "/up", "x".repeat(5000));
    const download = answer(200, "y".repeat(9000));
    c.read(upload, { head: 200 }).write(download, { head: 100, tail: 8 }).read(get("/")).write(answer(204));
    expect(profiling.samples).toMatchObject([
      { request: { bytes: upload.length, truncated: true }, response: { bytes: download.length, truncated: true } },
      { response: { status: 204 } },
    ]);
    expect(profiling.capture()).toMatchObject({ exchanges: 2, ...WHOLE });
  });

  it("a body went by sendfile: its call copied nothing", () => {
    const [profiling, c] = server();
    const download = answer(200, "y".repeat(9000));
    c.read(get("/file")).write(download.slice(0, -9000)).write(download.slice(-9000, -4000), { head: 0 });
    expect(inFlight(profiling)).toBe(1);
    c.write(download.slice(-4000), { head: 0 }).read(get("/")).write(answer(204));
    expect(profiling.samples[0]).toMatchObject({ response: { bytes: download.length } });
    expect(profiling.pairs()).toEqual(["GET /file → 200", "GET / → 204"]);
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it("in the midst of a body, through no call at all: TCP's positions tell", () => {
    const [profiling, c] = server();
    const download = answer(200, "y".repeat(9000));
    c.read(get("/file")).write(download.slice(0, -9000)).unseenWrite(8999).write("y").read(get("/")).write(answer(204));
    expect(profiling.pairs()).toEqual(["GET /file → 200", "GET / → 204"]);
    expect(profiling.samples[0]).toMatchObject({ response: { bytes: download.length } });
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it("the end of a body went through no call: nobody knows when, so it has no duration and is no exchange", () => {
    const [profiling, c] = server();
    const download = answer(200, "y".repeat(9000));
    c.read(get("/file")).write(download.slice(0, -9000)).unseenWrite(9000).read(get("/")).write(answer(204));
    expect(profiling.pairs()).toEqual(["GET / → 204"]);
    expect(profiling.capture()).toMatchObject({ exchanges: 1, unansweredRequests: 1, unparsedMessages: 1 });
    expect(profiling.capture().coverage).toBeLessThan(1);
    expect(imbalance(profiling)).toBe(0);
  });

  it("read until close, in part unseen: its size is known by what follows", () => {
    const [profiling, c] = server();
    const head = "HTTP/1.1 200 OK\r\n\r\n";
    c.read(get("/file")).write(`${head}abc`).unseenWrite(1000).write("d").close();
    expect(profiling.samples).toMatchObject([{ response: { bytes: head.length + 1004 } }]);
  });

  it("read until close, unseen at the end: the FIN may be one of the bytes, so the size is not known", () => {
    const [profiling, c] = server();
    c.read(get("/file")).write("HTTP/1.1 200 OK\r\n\r\nabc").unseenWrite(1000).close();
    expect(profiling.capture()).toMatchObject({ exchanges: 0, unansweredRequests: 1, unparsedMessages: 1 });
    expect(profiling.capture().coverage).toBeLessThan(1);
  });

  it("cut short, unseen at the end: likewise", () => {
    const [profiling, c] = server();
    c.read(get("/file"))
      .write(answer(200, "y".repeat(9000)).slice(0, -5000))
      .unseenWrite(1000)
      .close();
    expect(profiling.capture()).toMatchObject({ exchanges: 0, unansweredRequests: 1, unparsedMessages: 1 });
  });

  const large = "z".repeat(4000);
  const head = answer(200, null, "Transfer-Encoding: chunked");

  it("inside one chunk, with the framing copied, are as good as seen", () => {
    const [profiling, c] = server();
    const download = head + chunked(large);
    c.read(get("/"))
      .write(download, { head: head.length + 20, tail: 64 })
      .read(get("/next"))
      .write(answer(204));
    expect(profiling.pairs()).toEqual(["GET / → 200", "GET /next → 204"]);
    expect(profiling.samples[0]).toMatchObject({ response: { bytes: download.length } });
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it.each([0, 5, 7, 64])("over several chunks, %d of the last copied: no wrong pair, and the next is right", (tail) => {
    const [profiling, c] = server();
    const download = head + chunked(large, large);
    c.read(get("/"))
      .write(download, { head: head.length + 20, tail })
      .read(get("/next"))
      .write(answer(204));
    const pairs = profiling.pairs();
    expect(pairs.at(-1)).toBe("GET /next → 204");
    for (const sample of profiling.samples.slice(0, -1)) expect(sample.response.bytes).toBe(download.length);
    const { requests, exchanges, unansweredRequests, unparsedMessages, coverage } = profiling.capture();
    expect([requests, exchanges + unansweredRequests]).toEqual([2, 2]);
    expect(unparsedMessages === 0).toBe(exchanges === 2);
    expect(coverage === 1).toBe(exchanges === 2);
  });

  it("in a head: that message is lost, the next is right", () => {
    const [profiling, c] = server();
    c.read(get("/a"), { head: 10 }).write(answer(404)).read(get("/b")).write(answer(200));
    expect(profiling.pairs()).toEqual(["GET /b → 200"]);
    expect(profiling.capture()).toMatchObject({
      requests: 1,
      responses: 2,
      exchanges: 1,
      orphanResponses: 1,
      unparsedMessages: 1,
    });
    expect(profiling.capture().coverage).toBeLessThan(1);
  });
});

describe("records that were lost", () => {
  const ask = (c: WireConnection, uri: string, status: number) => c.read(get(uri)).write(answer(status));

  it("of a request: its response is an orphan", () => {
    const [profiling, c] = server();
    ask(c, "/a", 200);
    profiling.wire.lost(() => c.read(get("/b")));
    c.write(answer(404));
    ask(c, "/c", 201);
    ask(c, "/d", 202);
    expect(profiling.pairs()).toEqual(["GET /a → 200", "GET /c → 201", "GET /d → 202"]);
    expect(profiling.capture()).toMatchObject({ requests: 3, exchanges: 3, orphanResponses: 1, unansweredRequests: 0 });
    expect(profiling.capture().coverage).toBeLessThan(1);
  });

  it("of a response: its request stays without one", () => {
    const [profiling, c] = server();
    ask(c, "/a", 200);
    c.read(get("/b"));
    profiling.wire.lost(() => c.write(answer(404)));
    ask(c, "/c", 201);
    ask(c, "/d", 202);
    expect(profiling.pairs()).toEqual(["GET /a → 200", "GET /c → 201", "GET /d → 202"]);
    expect(profiling.capture()).toMatchObject({ requests: 4, exchanges: 3, unansweredRequests: 1, orphanResponses: 0 });
  });

  it("of both", () => {
    const [profiling, c] = server();
    ask(c, "/a", 200);
    profiling.wire.lost(() => ask(c, "/b", 404));
    ask(c, "/c", 201);
    expect(profiling.pairs()).toEqual(["GET /a → 200", "GET /c → 201"]);
  });

  it("the first request of a connection", () => {
    const [profiling, c] = server();
    c.open();
    profiling.wire.lost(() => c.read(get("/a")));
    c.write(answer(404));
    ask(c, "/b", 200);
    expect(profiling.pairs()).toEqual(["GET /b → 200"]);
    expect(profiling.capture()).toMatchObject({ requests: 1, exchanges: 1, orphanResponses: 1 });
  });

  it("the first response of a connection", () => {
    const [profiling, c] = server();
    c.read(get("/a"));
    profiling.wire.lost(() => c.write(answer(404)));
    ask(c, "/b", 200);
    expect(profiling.pairs()).toEqual(["GET /b → 200"]);
    expect(profiling.capture()).toMatchObject({ requests: 2, exchanges: 1, unansweredRequests: 1 });
    expect(profiling.capture().coverage).toBeLessThan(1);
  });

  it("the first of two pipelined requests, in the midst of a connection", () => {
    const [profiling, c] = server();
    ask(c, "/0", 200);
    profiling.wire.lost(() => c.read(get("/a")));
    c.read(get("/b")).write(answer(404)).write(answer(200));
    expect(profiling.pairs()).not.toContain("GET /b → 404");
    expect(imbalance(profiling)).toBe(0);
  });

  it("of several pipelined requests: two responses with no request between them show that there were several", () => {
    const [profiling, c] = server();
    ask(c, "/0", 200);
    profiling.wire.lost(() => c.read(get("/a") + get("/b") + get("/c")));
    c.write(answer(401)).write(answer(402)).read(get("/d")).write(answer(403)).write(answer(204));
    expect(profiling.pairs()).toEqual(["GET /0 → 200"]);
    expect(profiling.capture()).toMatchObject({ orphanResponses: 4, unansweredRequests: 1 });
  });

  it("that opened the connection: what comes next is a body, and the next message is read", () => {
    const [profiling, c] = server();
    c.open();
    const upload = request("POST", "/a", "x".repeat(100));
    profiling.wire.lost(() => c.read(upload.slice(0, -50)));
    c.read(upload.slice(-50)).write(answer(404));
    ask(c, "/b", 200);
    expect(profiling.ignored).toEqual([]);
    expect(profiling.pairs()).toEqual(["GET /b → 200"]);
    expect(profiling.capture().coverage).toBeLessThan(1);
  });

  it("part of a request's body is harmless", () => {
    const [profiling, c] = server();
    const upload = request("POST", "/", "x".repeat(300));
    c.read(upload.slice(0, -200));
    profiling.wire.lost(() => c.read(upload.slice(-200, -100)));
    c.read(upload.slice(-100)).write(answer(200));
    expect(profiling.samples).toMatchObject([{ request: { bytes: upload.length, truncated: true } }]);
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it("the end of a request's body, and the next request: both ends of the gap lie in different messages", () => {
    const [profiling, c] = server();
    const upload = request("POST", "/a", "x".repeat(300));
    c.read(upload.slice(0, -200));
    profiling.wire.lost(() => c.read(upload.slice(-200) + get("/b")));
    c.read(get("/c"));
    for (const status of [200, 201, 202]) c.write(answer(status));
    for (const pair of profiling.pairs()) expect(["POST /a → 200", "GET /b → 201", "GET /c → 202"]).toContain(pair);
    expect(imbalance(profiling)).toBe(0);
  });

  it("the last response's: the connection ends", () => {
    const [profiling, c] = server();
    c.read(get("/a"));
    profiling.wire.lost(() => c.write(answer(200)));
    c.close();
    expect(profiling.capture()).toMatchObject({ exchanges: 0, unansweredRequests: 1 });
    expect(profiling.capture().coverage).toBeLessThan(1);
  });

  it("that tell of its end: what comes later on the same inode number is another connection", () => {
    const profiling = startProfiling();
    const first = profiling.wire.connection({ id: 9, socket: 1n }).read(get("/a"));
    profiling.wire.lost(() => first.close());
    profiling.wire.connection({ id: 9, socket: 2n }).read(get("/b")).write(answer(200));
    expect(profiling.pairs()).toEqual(["GET /b → 200"]);
  });

  it("a kernel that counts what it lost makes coverage less than 1 even where no stream shows it", () => {
    const [profiling, c] = server();
    ask(c, "/", 200);
    profiling.profiler.counters.lostEvents = 1;
    expect(profiling.capture().coverage).toBeLessThan(1);
  });
});

describe("joined in mid-stream", () => {
  const joined = { isFresh: false, inStart: 12_345, outStart: 67_890 };

  it("server, between exchanges", () => {
    const [profiling, c] = server(joined);
    for (let i = 0; i < 3; i++) c.read(get(`/${i}`)).write(answer(200));
    expect(profiling.pairs()).toEqual(["GET /0 → 200", "GET /1 → 200", "GET /2 → 200"]);
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it("client, between exchanges", () => {
    const [profiling, c] = client(joined);
    for (let i = 0; i < 3; i++) c.write(get(`/${i}`)).read(answer(200));
    expect(profiling.finish().capture()).toMatchObject({ exchanges: 3, ...WHOLE });
  });

  it("server, a response pending", () => {
    const [profiling, c] = server(joined);
    c.write(answer(404)).read(get("/")).write(answer(200));
    expect(profiling.pairs()).toEqual(["GET / → 200"]);
    expect(profiling.capture()).toMatchObject({ responses: 2, orphanResponses: 1, coverage: 1 });
  });

  it("client, a response pending", () => {
    const [profiling, c] = client(joined);
    c.read(answer(404)).write(get("/")).read(answer(200));
    expect(profiling.pairs()).toEqual(["GET / → 200"]);
    expect(profiling.capture()).toMatchObject({ orphanResponses: 1, coverage: 1 });
  });

  it("the pending response answers HEAD: nobody knows, and the next message is read", () => {
    const [profiling, c] = server(joined);
    c.write(answer(200, null, "Content-Length: 1000"))
      .read(get("/"))
      .write(answer(204))
      .read(get("/2"))
      .write(answer(204));
    for (const pair of profiling.pairs()) expect(pair).toMatch(/^GET \/2? → 204$/);
    expect(profiling.pairs()).toContain("GET /2 → 204");
  });

  it("pipelined, two responses pending", () => {
    const [profiling, c] = server(joined);
    c.read(get("/c")).write(answer(401)).write(answer(402)).write(answer(200));
    expect(profiling.pairs()).not.toContain("GET /c → 402");
    expect(imbalance(profiling)).toBe(0);
  });

  it("pipelined, the pending response answers HEAD, and the next one is as long as its body would be", () => {
    const [profiling, c] = server(joined);
    const next = answer(204, null);
    c.read(get("/b"))
      .write(answer(200, null, `Content-Length: ${next.length}`))
      .write(next)
      .close();
    expect(profiling.pairs()).toEqual([]);
    expect(profiling.capture()).toMatchObject({ requests: 1, exchanges: 0 });
    expect(imbalance(profiling)).toBe(0);
  });

  it("pipelined, one response pending: what was missed after a pair might have spoken against it", () => {
    const [profiling, c] = server(joined);
    const { wire } = profiling;
    c.read(get("/b")).write(answer(401));
    wire.lost(() => c.read(get("/c")));
    wire.lost(() => c.write(answer(402)));
    c.write(answer(403)).close();
    expect(profiling.pairs()).toEqual([]);
    expect(imbalance(profiling)).toBe(0);
  });

  it("pipelined, when nothing went over it for a second: sure from its first request on", () => {
    const [profiling, c] = server(joined);
    profiling.wire.wait(1001);
    c.read(get("/a") + get("/b")).read(get("/c"));
    c.write(answer(200)).write(answer(201)).write(answer(202));
    c.read(get("/d") + get("/e"))
      .write(answer(200))
      .write(answer(201));
    expect(profiling.pairs()).toEqual(["GET /a → 200", "GET /b → 201", "GET /c → 202", "GET /d → 200", "GET /e → 201"]);
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it("pipelined, and at once: a response may be pending", () => {
    const [profiling, c] = server(joined);
    c.read(get("/b") + get("/c"))
      .write(answer(401))
      .write(answer(200))
      .write(answer(201));
    expect(profiling.pairs()).toEqual([]);
    expect(imbalance(profiling)).toBe(0);
  });

  it("pipelined, then the client pauses for a second: from there on it is sure", () => {
    const [profiling, c] = server(joined);
    c.read(get("/a")).read(get("/b")).write(answer(401)).write(answer(402)).write(answer(403));
    profiling.wire.wait(1001);
    c.read(get("/d") + get("/e"))
      .write(answer(200))
      .write(answer(201));
    expect(profiling.pairs().slice(-2)).toEqual(["GET /d → 200", "GET /e → 201"]);
  });
});

describe("records in another order than their bytes", () => {
  it("client: a thread reads the response before another has returned from writing the request", () => {
    const [profiling, c] = client();
    c.write(get("/0")).read(answer(200));
    const wrote = profiling.wire.later(() => c.write(get("/a")));
    c.read(answer(404));
    expect(profiling.pairs()).toEqual(["GET /0 → 200"]);
    wrote();
    c.write(get("/b")).read(answer(201));
    expect(profiling.pairs()).toEqual(["GET /0 → 200", "GET /a → 404", "GET /b → 201"]);
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it.each(["from its first request on", "joined"])(
    "client of a TLS session, %s: a goroutine reads the response before another has returned from the write",
    (how) => {
      const [profiling, c] = client({ tls: "known", isFresh: how !== "joined" });
      for (const [uri, status] of [
        ["/a", 404],
        ["/b", 200],
      ] as const) {
        // The read's record tells how far the write will come, the write's how far reads had come when it began.
        c.unseenWrite(get(uri));
        const read = profiling.wire.later(() => c.read(answer(status), { flags: FLAG_OVERTAKES }));
        c.unseenWrite(-get(uri).length).unseenRead(-answer(status).length);
        const wrote = profiling.wire.later(() => c.write(get(uri)));
        c.unseenRead(answer(status));
        const before = profiling.pairs().length;
        read();
        expect(profiling.pairs()).toHaveLength(before);
        wrote();
      }
      profiling.wire.wait(1001);
      expect(profiling.pairs()).toEqual(["GET /a → 404", "GET /b → 200"]);
      expect(profiling.capture()).toMatchObject(WHOLE);
    },
  );

  it("client: no duration is less than none", () => {
    const [profiling, c] = client();
    c.write(get("/0")).read(answer(200));
    // The write's record has the time at which it returned: after the response was read.
    c.unseenWrite(get("/a"));
    const read = profiling.wire.later(() => c.read(answer(404)));
    c.unseenWrite(-get("/a").length);
    const wrote = profiling.wire.later(() => c.write(get("/a")));
    read();
    wrote();
    expect(profiling.pairs()).toEqual(["GET /0 → 200", "GET /a → 404"]);
    for (const { durationMs, ttfbMs } of profiling.samples) {
      expect(durationMs).toBeGreaterThanOrEqual(0);
      expect(ttfbMs).toBeGreaterThanOrEqual(0);
      expect(ttfbMs).toBeLessThanOrEqual(durationMs);
    }
    const [edge] = profiling.edges();
    expect(edge?.durationMs.min).toBeGreaterThanOrEqual(0);
  });

  it("client: a response in two reads, both before the request's record", () => {
    const [profiling, c] = client();
    c.write(get("/0")).read(answer(200));
    const wrote = profiling.wire.later(() => c.write(get("/a")));
    const text = answer(404, "body");
    c.read(text.slice(0, 20)).read(text.slice(20)).readEnd();
    wrote();
    expect(profiling.pairs()).toEqual(["GET /0 → 200", "GET /a → 404"]);
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it("client: the connection ends while its response is held", () => {
    const [profiling, c] = client();
    c.write(get("/0")).read(answer(200));
    const wrote = profiling.wire.later(() => c.write(get("/a")));
    c.read(answer(404));
    wrote();
    c.close();
    expect(profiling.pairs()).toEqual(["GET /0 → 200", "GET /a → 404"]);
  });

  it("client: the request's record is lost: after a second the response goes its way", () => {
    const [profiling, c] = client();
    c.write(get("/0")).read(answer(200));
    profiling.wire.lost(() => c.write(get("/a")));
    c.read(answer(404));
    expect(profiling.capture().responses).toBe(1);
    profiling.wire.wait(1001);
    profiling.profiler.tick(profiling.wire.timeNs);
    expect(profiling.capture()).toMatchObject({ responses: 2, orphanResponses: 1 });
    c.write(get("/b")).read(answer(201));
    expect(profiling.pairs()).toEqual(["GET /0 → 200", "GET /b → 201"]);
  });

  it.each(["requests", "responses"])("two threads, %s", (which) => {
    const [profiling, c] = server();
    const call = (text: string) => (which === "requests" ? c.read(text) : c.write(text));
    const text = (i: number) => (which === "requests" ? get(`/${i}`) : answer(200 + i));
    const others = () => {
      for (let i = 1; i <= 3; i++) which === "requests" ? c.write(answer(200 + i)) : c.read(get(`/${i}`));
    };
    c.read(get("/0")).write(answer(200));
    if (which === "responses") others();
    const first = profiling.wire.later(() => call(text(1)));
    call(text(2));
    first();
    call(text(3));
    if (which === "requests") others();
    for (const pair of profiling.pairs()) expect(pair).toMatch(/^GET \/(\d) → 20\1$/);
    expect(imbalance(profiling)).toBe(0);
    c.close();
    expect([imbalance(profiling), inFlight(profiling)]).toEqual([0, 0]);
    expect(profiling.capture().coverage).toBeLessThan(1);
  });

  it("a piece of a body that comes late", () => {
    const [profiling, c] = server();
    const upload = request("POST", "/1", "x".repeat(300));
    c.read(upload.slice(0, -200));
    const late = profiling.wire.later(() => c.read(upload.slice(-200, -100)));
    c.read(upload.slice(-100));
    late();
    c.write(answer(201)).read(get("/2")).write(answer(202));
    for (const pair of profiling.pairs()) expect(pair).toMatch(/ \/(\d) → 20\1$/);
    c.close();
    expect([imbalance(profiling), inFlight(profiling)]).toEqual([0, 0]);
  });

  it("a piece of a body that comes late, which looks like a request", () => {
    const [profiling, c] = server();
    const upload = request("POST", "/1", `${get("/fake")}${"x".repeat(300)}`);
    c.read(upload.slice(0, -300 - get("/fake").length));
    const late = profiling.wire.later(() => c.read(get("/fake")));
    c.read("x".repeat(100));
    late();
    c.read("x".repeat(200)).write(answer(201)).close();
    expect([imbalance(profiling), inFlight(profiling)]).toEqual([0, 0]);
  });
});
