/** Which response answers which request, when every byte is seen. */
import { describe, expect, it } from "vitest";
import { answer, chunked, get, request } from "./messages.ts";
import { imbalance, inFlight, type Profiling, startProfiling } from "./profiling.ts";
import {
  MORE_IN_LIBRARY,
  MORE_RETURNING,
  MORE_UNREAD,
  SHUTDOWN_BOTH,
  SHUTDOWN_IN,
  TCP_CLOSE,
  TCP_CLOSE_WAIT,
  TCP_FIN_WAIT1,
  TCP_LAST_ACK,
  type WireConnection,
} from "./wire.ts";

function server(options: Parameters<Profiling["wire"]["connection"]>[0] = {}): [Profiling, WireConnection] {
  const profiling = startProfiling();
  return [profiling, profiling.wire.connection(options)];
}

function client(): [Profiling, WireConnection] {
  return server({ comm: "client", local: "10.0.0.2:40000", remote: "10.0.0.1:80" });
}

const WHOLE = { unansweredRequests: 0, orphanResponses: 0, unparsedMessages: 0, coverage: 1 };

describe("one after the other", () => {
  it("keep-alive", () => {
    const [profiling, c] = server();
    for (let i = 0; i < 5; i++) c.read(get(`/${i}`)).write(answer(200 + i, "x".repeat(i)));
    expect(profiling.pairs()).toEqual(
      ["GET /0 → 200", "GET /1 → 201", "GET /2 → 202", "GET /3 → 203", "GET /4 → 204"].map((pair) => pair),
    );
    expect(profiling.capture()).toMatchObject({ requests: 5, responses: 5, exchanges: 5, ...WHOLE });
  });

  it.each([0xffff_fff0, 0x7fff_fff0, 0xffff_ffff, 1])("positions from %d on wrap around", (start) => {
    const [profiling, c] = server({ inStart: start, outStart: start - 7 });
    for (let i = 0; i < 9; i++) c.read(get(`/${i}`)).write(answer(200, "body"));
    expect(profiling.capture()).toMatchObject({ exchanges: 9, ...WHOLE });
  });

  it("on the client's side", () => {
    const [profiling, c] = client();
    c.write(get("/a")).read(answer(200)).write(get("/b")).read(answer(404));
    expect(profiling.pairs()).toEqual(["GET /a → 200", "GET /b → 404"]);
    expect(profiling.edges()).toMatchObject([{ side: "client", peer: { address: "10.0.0.1", port: 80 } }]);
  });

  it("a message comes byte by byte", () => {
    const [profiling, c] = server();
    for (const byte of request("POST", "/a", "hello")) c.read(byte);
    for (const byte of answer(201, null, "Transfer-Encoding: chunked") + chunked("abc", "defg")) c.write(byte);
    expect(profiling.pairs()).toEqual(["POST /a → 201"]);
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it("over a unix socket, whose positions are our own count", () => {
    const [profiling, c] = server({ unix: "/run/app.sock" });
    for (let i = 0; i < 4; i++) c.read(get(`/${i}`)).write(answer(200));
    expect(profiling.finish().capture()).toMatchObject({ exchanges: 4, ...WHOLE });
    expect(profiling.edges()).toMatchObject([{ peer: { address: "unix:/run/app.sock", port: null }, requests: 4 }]);
  });

  it("over IPv6, and IPv4 mapped into it", () => {
    const profiling = startProfiling();
    const { wire } = profiling;
    wire.connection({ local: "[::1]:80", remote: "[fe80::1]:4000" }).read(get("/")).write(answer(200));
    wire.connection({ local: "[::ffff:a00:1]:80", remote: "[::ffff:a00:2]:4000" }).read(get("/")).write(answer(200));
    expect(profiling.edges().map(({ peer }) => peer.address)).toEqual(["fe80::1", "10.0.0.2"]);
  });
});

describe("pipelined", () => {
  const sixteen = Array.from({ length: 16 }, (_, i) => i);
  const requests = sixteen.map((i) => get(`/${i}`)).join("");
  const answers = sixteen.map((i) => answer(i % 2 === 0 ? 200 : 404, "x".repeat(i)));
  const pairs = sixteen.map((i) => `GET /${i} → ${i % 2 === 0 ? 200 : 404}`);

  it("16 in one read, 16 writes", () => {
    const [profiling, c] = server();
    c.read(requests);
    expect(inFlight(profiling)).toBe(16);
    for (const text of answers) c.write(text);
    expect(profiling.pairs()).toEqual(pairs);
    expect(profiling.capture()).toMatchObject({ exchanges: 16, ...WHOLE });
  });

  it("16 in one read, answered in one write", () => {
    const [profiling, c] = server();
    c.read(requests).write(answers.join(""));
    expect(profiling.pairs()).toEqual(pairs);
  });

  it.each([1, 2, 3, 7, 36, 37, 38, 100])("in pieces of %d bytes", (size) => {
    const [profiling, c] = server();
    for (let at = 0; at < requests.length; at += size) c.read(requests.slice(at, at + size));
    const text = answers.join("");
    for (let at = 0; at < text.length; at += size) c.write(text.slice(at, at + size));
    expect(profiling.pairs()).toEqual(pairs);
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it("on the client's side, with answers while it still asks", () => {
    const [profiling, c] = client();
    c.write(get("/0") + get("/1"))
      .read(answers[0]!)
      .write(get("/2"))
      .read(answers[1]! + answers[2]!);
    expect(profiling.pairs()).toEqual(pairs.slice(0, 3));
  });
});

describe("a response before its request is complete", () => {
  it("413, and then the rest of the body", () => {
    const [profiling, c] = server();
    const upload = request("POST", "/up", "x".repeat(100));
    c.read(upload.slice(0, -60)).write(answer(413, "too large"));
    expect([profiling.capture().exchanges, inFlight(profiling)]).toEqual([0, 1]);
    c.read(upload.slice(-60)).read(get("/next")).write(answer(200));
    expect(profiling.pairs()).toEqual(["POST /up → 413", "GET /next → 200"]);
    expect(profiling.samples[0]).toMatchObject({ request: { bytes: upload.length } });
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it("413, and the connection ends without the rest", () => {
    const [profiling, c] = server();
    c.read(request("POST", "/up", "x".repeat(100)).slice(0, -60))
      .write(answer(413))
      .close();
    expect(profiling.pairs()).toEqual(["POST /up → 413"]);
    expect(imbalance(profiling) + inFlight(profiling)).toBe(0);
  });
});

describe("Expect: 100-continue (RFC 9110, 10.1.1)", () => {
  const body = "x".repeat(50);
  const upload = request("PUT", "/up", body, "Expect: 100-continue");
  const head = upload.slice(0, -body.length);

  it("100, the body, then the final response", () => {
    const [profiling, c] = server();
    c.read(head).write("HTTP/1.1 100 Continue\r\n\r\n").read(body).write(answer(201)).read(get("/")).write(answer(200));
    expect(profiling.pairs()).toEqual(["PUT /up → 201", "GET / → 200"]);
    expect(profiling.samples[0]).toMatchObject({
      request: { bytes: upload.length },
      response: { bytes: answer(201).length },
    });
    expect(profiling.capture()).toMatchObject({ responses: 2, ...WHOLE });
  });

  it("a final response instead: the body is not sent, the next request follows", () => {
    const [profiling, c] = server();
    c.read(head).write(answer(417)).read(get("/next")).write(answer(200));
    expect(profiling.pairs()).toEqual(["PUT /up → 417", "GET /next → 200"]);
    expect(profiling.samples[0]).toMatchObject({ request: { bytes: head.length, bodyBytes: 0 } });
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it("a final response, and the body is sent all the same", () => {
    const [profiling, c] = server();
    c.read(head).write(answer(417)).read(body).read(get("/next")).write(answer(200));
    expect(profiling.pairs()).toEqual(["PUT /up → 417", "GET /next → 200"]);
    expect(profiling.samples[0]).toMatchObject({ request: { bytes: upload.length } });
  });

  it("a final response, then the end", () => {
    const [profiling, c] = server();
    c.read(head).write(answer(417)).readEnd().close();
    expect(profiling.pairs()).toEqual(["PUT /up → 417"]);
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it("on the client's side", () => {
    const [profiling, c] = client();
    c.write(head).read("HTTP/1.1 100 Continue\r\n\r\n").write(body).read(answer(200));
    c.write(head).read(answer(417)).write(get("/")).read(answer(204));
    expect(profiling.pairs()).toEqual(["PUT /up → 200", "PUT /up → 417", "GET / → 204"]);
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it("other interim responses come before the final one (103)", () => {
    const [profiling, c] = server();
    c.read(get("/"))
      .write("HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n")
      .write(`HTTP/1.1 102 Processing\r\n\r\n${answer(200, "x")}`);
    expect(profiling.pairs()).toEqual(["GET / → 200"]);
    expect(profiling.samples[0]).toMatchObject({ response: { bytes: answer(200, "x").length } });
  });
});

describe("responses without a body (RFC 9112, 6.3)", () => {
  it.each([
    ["HEAD", 200, ["Content-Length: 1000"]],
    ["HEAD", 200, ["Transfer-Encoding: chunked"]],
    ["HEAD", 404, []],
    ["GET", 204, []],
    ["GET", 304, ["Content-Length: 1000"]],
  ] as const)("%s → %d %j", (method, status, fields) => {
    const [profiling, c] = server();
    for (let i = 0; i < 2; i++) c.read(request(method, `/${i}`)).write(answer(status, null, ...fields));
    c.read(get("/z")).write(answer(200, "body"));
    expect(profiling.pairs()).toEqual([`${method} /0 → ${status}`, `${method} /1 → ${status}`, "GET /z → 200"]);
    expect(profiling.capture()).toMatchObject(WHOLE);
  });
});

describe("tunnels", () => {
  it("101: what follows is no HTTP, and is counted", () => {
    const [profiling, c] = server();
    c.read(get("/ws", "Upgrade: websocket", "Connection: Upgrade"));
    c.write(`${answer(101, null, "Upgrade: websocket")}\x81\x02hi`)
      .read("\x81\x85abcdefghi")
      .write(answer(200))
      .read(get("/fake"));
    expect(profiling.pairs()).toEqual(["GET /ws → 101"]);
    expect(profiling.profiler.counters.tunnelBytes).toBe(4 + 11 + answer(200).length + get("/fake").length);
    expect(profiling.capture()).toMatchObject({ requests: 1, responses: 1, ...WHOLE });
    c.close();
    expect(imbalance(profiling)).toBe(0);
  });

  it("CONNECT → 200", () => {
    const [profiling, c] = client();
    c.write("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n")
      .read("HTTP/1.1 200 OK\r\n\r\n")
      .write("\x16\x03\x01")
      .read("\x16\x03\x03")
      .close();
    expect(profiling.pairs()).toEqual(["CONNECT h:443 → 200"]);
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it("CONNECT → 407 stays HTTP", () => {
    const [profiling, c] = client();
    c.write("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n")
      .read(answer(407, "who?"))
      .write(get("/"))
      .read(answer(200));
    expect(profiling.pairs()).toEqual(["CONNECT h:443 → 407", "GET / → 200"]);
  });

  it("h2c by upgrade (RFC 7540, 3.2) is a tunnel", () => {
    const [profiling, c] = server();
    c.read(get("/", "Upgrade: h2c"))
      .write(`${answer(101, null, "Upgrade: h2c")}\0\0\0\x04\0`)
      .read("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    expect(profiling.pairs()).toEqual(["GET / → 101"]);
    expect(profiling.capture()).toMatchObject(WHOLE);
  });
});

describe("the end of a connection", () => {
  const untilClose = "HTTP/1.1 200 OK\r\n\r\n";

  it("read until close, closed by the server", () => {
    const [profiling, c] = server();
    c.read(get("/")).write(untilClose).write("some body").state(TCP_FIN_WAIT1, SHUTDOWN_BOTH).close();
    expect(profiling.pairs()).toEqual(["GET / → 200"]);
    expect(profiling.samples[0]).toMatchObject({ response: { bytes: untilClose.length + 9, body: "some body" } });
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it("read until close, the client reads the end", () => {
    const [profiling, c] = client();
    c.write(get("/")).read(`${untilClose}some `).read("body").readEnd();
    expect(profiling.pairs()).toEqual(["GET / → 200"]);
    c.close();
    expect(profiling.samples).toHaveLength(1);
    expect(profiling.samples[0]).toMatchObject({ response: { bytes: untilClose.length + 9 } });
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it.each(["HTTP/1.0 200 OK\r\n\r\n", answer(200, "x".repeat(20)).slice(0, -20)])(
    "the peer's FIN arrives while the process has yet to read what was sent before it: %j",
    (head) => {
      const [profiling, c] = client();
      c.write(get("/"))
        .read(`${head}${"x".repeat(10)}`)
        .state(TCP_CLOSE_WAIT, SHUTDOWN_IN)
        .read("x".repeat(10))
        .readEnd();
      c.state(TCP_LAST_ACK, SHUTDOWN_BOTH).close();
      expect(profiling.samples).toMatchObject([{ response: { bytes: head.length + 20 } }]);
      expect(profiling.capture()).toMatchObject(WHOLE);
    },
  );

  it.each([
    ["a response of known length", answer(200, "0123456789")],
    ["read until close", "HTTP/1.1 200 OK\r\n\r\n0123456789"],
    ["chunked", answer(200, null, "Transfer-Encoding: chunked") + chunked("0123456789")],
  ])("a call reads the FIN with the last bytes, which counts as one: %s", (_, text) => {
    for (const pieces of [[text], [text.slice(0, -8), text.slice(-8)]]) {
      const [profiling, c] = client();
      c.write(get("/"));
      for (const [i, piece] of pieces.entries()) {
        const isLast = i === pieces.length - 1;
        if (isLast) c.state(TCP_CLOSE_WAIT, SHUTDOWN_IN);
        c.read(piece, { withFin: isLast });
      }
      c.state(TCP_LAST_ACK, SHUTDOWN_BOTH).close();
      expect(profiling.samples).toMatchObject([{ response: { bytes: text.length, truncated: false } }]);
      expect(profiling.capture()).toMatchObject(WHOLE);
    }
  });

  it("the peer's reset overtakes the call that wrote the response", () => {
    const [profiling, c] = server();
    c.read(get("/a"));
    const wrote = profiling.wire.later(() => c.write(answer(200)));
    c.state(TCP_CLOSE, SHUTDOWN_IN, MORE_RETURNING);
    expect(profiling.capture()).toMatchObject({ exchanges: 0, ...WHOLE });
    wrote();
    expect(profiling.pairs()).toEqual(["GET /a → 200"]);
    expect(profiling.capture()).toMatchObject(WHOLE);
    expect(profiling.edges()).toMatchObject([{ tcp: { closes: 1, openConnections: 0 } }]);
  });

  it("the peer's reset overtakes the call that read the response", () => {
    const [profiling, c] = client();
    c.write(get("/a"));
    const read = profiling.wire.later(() => c.read("HTTP/1.1 200 OK\r\n\r\nuntil the end"));
    c.state(TCP_CLOSE, SHUTDOWN_IN, MORE_RETURNING);
    read();
    expect(profiling.pairs()).toEqual(["GET /a → 200"]);
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it("the peer's reset overtakes the calls of a TLS library: the connection goes on until the process closes it", () => {
    const [profiling, c] = server();
    c.state(TCP_CLOSE, SHUTDOWN_IN, MORE_IN_LIBRARY).read(get("/a")).write(answer(200));
    expect(profiling.edges()).toMatchObject([{ tcp: { closes: 0, openConnections: 1 } }]);
    c.close();
    expect(profiling.pairs()).toEqual(["GET /a → 200"]);
    expect(profiling.capture()).toMatchObject(WHOLE);
    expect(profiling.edges()).toMatchObject([{ tcp: { closes: 1, openConnections: 0 } }]);
  });

  it.each([
    ["for a second", (profiling: Profiling) => profiling.profiler.tick(profiling.wire.wait(1100).timeNs)],
    ["until the end of the run", (profiling: Profiling) => profiling.profiler.finish(profiling.wire.timeNs)],
  ])("… or %s, if it does not", (_, goOn) => {
    const [profiling, c] = server();
    c.read(get("/a")).write(answer(200)).state(TCP_CLOSE, SHUTDOWN_IN, MORE_IN_LIBRARY);
    goOn(profiling);
    expect(profiling.edges()).toMatchObject([{ tcp: { closes: 1, openConnections: 0 } }]);
  });

  it("a call that was returning at the end does not come: what it moved is missing", () => {
    const [profiling, c] = server();
    c.read(get("/a"));
    profiling.wire.lost(() => c.write(answer(200)));
    c.state(TCP_CLOSE, SHUTDOWN_IN, MORE_RETURNING);
    profiling.profiler.tick(profiling.wire.wait(1100).timeNs);
    expect(profiling.capture()).toMatchObject({ exchanges: 0, unansweredRequests: 1, orphanResponses: 0 });
  });

  it("what came before the reset is read to its end before the call has returned that wrote the response", () => {
    const [profiling, c] = server();
    c.read(get("/a"));
    const wrote = profiling.wire.later(() => c.write(answer(200)));
    c.state(TCP_CLOSE, SHUTDOWN_IN, MORE_UNREAD | MORE_RETURNING).readEnd();
    wrote();
    expect(profiling.pairs()).toEqual(["GET /a → 200"]);
    expect(profiling.capture()).toMatchObject(WHOLE);
    expect(profiling.edges()).toMatchObject([{ tcp: { closes: 1, openConnections: 0 } }]);
  });

  it("the process closes what the peer has reset, and some of it was never read", () => {
    const [profiling, c] = server();
    c.read(get("/a")).write(answer(200)).state(TCP_CLOSE, SHUTDOWN_IN, MORE_UNREAD);
    expect(profiling.edges()).toMatchObject([{ tcp: { closes: 0, openConnections: 1 } }]);
    c.close();
    expect(profiling.pairs()).toEqual(["GET /a → 200"]);
    expect(profiling.edges()).toMatchObject([{ tcp: { closes: 1, openConnections: 0 } }]);
  });

  it("a FIN does not set free what waits for a request's record", () => {
    const [profiling, c] = client();
    c.write(get("/a")).read(answer(200));
    const wrote = profiling.wire.later(() => c.write(get("/b")));
    c.read(answer(404)).state(TCP_CLOSE_WAIT, SHUTDOWN_IN);
    wrote();
    c.state(TCP_LAST_ACK, SHUTDOWN_BOTH).close();
    expect(profiling.pairs()).toEqual(["GET /a → 200", "GET /b → 404"]);
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it("the client ends its direction after the request, and the server has yet to read that", () => {
    const [profiling, c] = server();
    const upload = request("POST", "/", "x".repeat(20));
    c.read(upload.slice(0, -10))
      .state(TCP_CLOSE_WAIT, SHUTDOWN_IN)
      .read(upload.slice(-10))
      .readEnd()
      .write(answer(200));
    c.state(TCP_LAST_ACK, SHUTDOWN_BOTH).close();
    expect(profiling.samples).toMatchObject([{ request: { bytes: upload.length } }]);
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it("HTTP/1.0 without keep-alive", () => {
    const [profiling, c] = server();
    c.read("GET /old HTTP/1.0\r\n\r\n").write("HTTP/1.0 200 OK\r\n\r\nbody").close();
    expect(profiling.samples[0]).toMatchObject({
      request: { version: "1.0" },
      response: { version: "1.0", bodyBytes: 4 },
    });
  });

  it("HTTP/1.0 with keep-alive", () => {
    const [profiling, c] = server();
    for (let i = 0; i < 2; i++)
      c.read(`GET /${i} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`).write(
        "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
      );
    expect(profiling.pairs()).toEqual(["GET /0 → 200", "GET /1 → 200"]);
  });

  it("a reset in mid-response: the response is what was seen of it", () => {
    const [profiling, c] = server();
    const whole = answer(200, "x".repeat(100));
    c.read(get("/")).write(whole.slice(0, -70)).close();
    expect(profiling.samples).toMatchObject([{ response: { status: 200, bytes: whole.length - 70 } }]);
    expect(profiling.capture()).toMatchObject(WHOLE);
    expect(imbalance(profiling) + inFlight(profiling)).toBe(0);
  });

  it("a request without an answer", () => {
    const [profiling, c] = server();
    c.read(get("/a") + get("/b"))
      .write(answer(200))
      .close();
    expect(profiling.pairs()).toEqual(["GET /a → 200"]);
    expect(profiling.capture()).toMatchObject({ requests: 2, exchanges: 1, unansweredRequests: 1 });
    expect(inFlight(profiling)).toBe(0);
  });

  it("a truncated request without an answer", () => {
    const [profiling, c] = server();
    c.read(request("POST", "/", "x".repeat(50)).slice(0, -20))
      .readEnd()
      .close();
    expect(profiling.capture()).toMatchObject({ requests: 1, exchanges: 0, unansweredRequests: 1 });
    expect(inFlight(profiling)).toBe(0);
  });

  it("a truncated request with an answer", () => {
    const [profiling, c] = server();
    const upload = request("POST", "/", "x".repeat(50)).slice(0, -20);
    c.read(upload).readEnd().write(answer(400)).close();
    expect(profiling.samples).toMatchObject([{ request: { bytes: upload.length }, response: { status: 400 } }]);
  });

  it("a response nobody asked for: 408 on an idle connection", () => {
    const [profiling, c] = server();
    c.read(get("/")).write(answer(200)).write(answer(408)).close();
    expect(profiling.pairs()).toEqual(["GET / → 200"]);
    expect(profiling.capture()).toMatchObject({ responses: 2, orphanResponses: 1 });
  });
});

describe("sockets come and go", () => {
  it("an inode number that another socket has now", () => {
    const profiling = startProfiling();
    profiling.wire.connection({ id: 5, socket: 1n, inStart: 100, outStart: 100 }).read(get("/a"));
    profiling.wire.connection({ id: 5, socket: 2n, inStart: 9000 }).read(get("/b")).write(answer(200));
    expect(profiling.pairs()).toEqual(["GET /b → 200"]);
    expect(profiling.capture()).toMatchObject({ requests: 2, exchanges: 1, unansweredRequests: 1 });
  });

  it("the kernel forgot the connection for a while", () => {
    const [profiling, c] = server();
    c.read(get("/a")).write(answer(200)).unseenRead(get("/b")).unseenWrite(answer(404));
    c.open().read(get("/c")).write(answer(500));
    expect(profiling.pairs()).toEqual(["GET /a → 200", "GET /c → 500"]);
    expect(profiling.capture().coverage).toBeLessThan(1);
  });

  it("a process's end ends its unix sockets, and only its", () => {
    const profiling = startProfiling();
    profiling.wire.connection({ unix: "/a", pid: 7 }).read(get("/gone"));
    const other = profiling.wire.connection({ unix: "/a", pid: 8 }).read(get("/here"));
    const tcp = profiling.wire.connection({ pid: 7 }).read(get("/tcp"));
    profiling.wire.process(3, 7);
    expect([profiling.capture().unansweredRequests, inFlight(profiling)]).toEqual([1, 2]);
    other.write(answer(200));
    tcp.write(answer(200));
    expect(profiling.pairs().sort()).toEqual(["GET /here → 200", "GET /tcp → 200"]);
  });

  it("a record of a connection that nobody opened is left alone", () => {
    const [profiling, c] = server();
    profiling.wire.lost(() => c.open());
    c.read(get("/")).readEnd().close();
    expect(profiling.capture()).toMatchObject({ events: 3, requests: 0 });
  });
});
