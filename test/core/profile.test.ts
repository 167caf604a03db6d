/** What exchanges add up to: edges, endpoints, groups, distributions; and what is said of connections that are not read. */
import { describe, expect, it } from "vitest";
import { FLAG_WRITE, PROCESS_ENDED, PROCESS_RENAMED, PROCESS_STARTED } from "../../src/core/record-layout.ts";
import { createRouter } from "../../src/core/route.ts";
import { microsecondsOf } from "../../src/output/rfc3339.ts";
import { answer, chunked, get, request } from "./messages.ts";
import { inFlight, startProfiling } from "./profiling.ts";

const CLIENT = { pid: 20, comm: "client", local: "10.0.0.2:40000", remote: "10.0.0.1:80" };

describe("edges", () => {
  it("one for each process and peer; the server's port is on the client's edge alone", () => {
    const { wire, edges } = startProfiling();
    wire.connection({ pid: 1, comm: "a", remote: "10.0.0.7:5000" }).read(get("/")).write(answer(200));
    wire.connection({ pid: 1, comm: "a", remote: "10.0.0.7:5001" }).read(get("/")).write(answer(200));
    wire.connection({ pid: 1, comm: "a", remote: "10.0.0.8:5000" }).read(get("/")).write(answer(200));
    wire.connection({ pid: 2, comm: "b", remote: "10.0.0.7:5002" }).read(get("/")).write(answer(200));
    wire.connection({ pid: 2, comm: "b", remote: "10.0.0.9:81" }).write(get("/")).read(answer(200));
    wire.connection({ pid: 2, comm: "b", remote: "10.0.0.9:82" }).write(get("/")).read(answer(200));
    const rows = edges().map(({ side, process, peer, requests }) => [side, process, peer.address, peer.port, requests]);
    expect(rows).toEqual([
      ["server", { pid: 1, comm: "a" }, "10.0.0.7", null, 2],
      ["server", { pid: 1, comm: "a" }, "10.0.0.8", null, 1],
      ["server", { pid: 2, comm: "b" }, "10.0.0.7", null, 1],
      ["client", { pid: 2, comm: "b" }, "10.0.0.9", 81, 1],
      ["client", { pid: 2, comm: "b" }, "10.0.0.9", 82, 1],
    ]);
  });

  it("the same loopback addresses in another network namespace are another connection", () => {
    const { wire, edges } = startProfiling();
    const ends = { local: "127.0.0.1:80", remote: "127.0.0.1:40000" };
    const server = wire.connection({ pid: 10, comm: "server", ...ends, network: 1 });
    wire.connection({ pid: 20, comm: "client", local: ends.remote, remote: ends.local, network: 2 }).write(get("/"));
    server.read(get("/")).write(answer(200));
    expect(edges()[0]).toMatchObject({ side: "server", peer: { pid: null, comm: null, address: "127.0.0.1" } });
  });

  it("both ends are profiled: each knows the other", () => {
    const { wire, edges } = startProfiling();
    const server = wire.connection({ pid: 10, comm: "server", remote: CLIENT.local });
    const client = wire.connection(CLIENT);
    for (let i = 0; i < 3; i++) {
      client.write(get("/"));
      server.read(get("/")).write(answer(200));
      client.read(answer(200));
    }
    const rows = edges().map(({ side, process, peer, requests }) => ({ side, pid: process.pid, peer, requests }));
    expect(rows).toEqual([
      { side: "server", pid: 10, peer: { pid: 20, comm: "client", address: "10.0.0.2", port: null }, requests: 3 },
      { side: "client", pid: 20, peer: { pid: 10, comm: "server", address: "10.0.0.1", port: 80 }, requests: 3 },
    ]);
    expect(edges().every((edge) => edge.inFlight === 0)).toBe(true);
  });

  it("the process is the one that reads the request: a connection handed to another", () => {
    const { wire, edges } = startProfiling();
    wire.process(PROCESS_STARTED, 11, "worker", 10);
    const c = wire.connection({ pid: 10, comm: "parent" });
    c.read(get("/")).write(answer(200));
    c.read(get("/"), { pid: 11 }).write(answer(200), { pid: 11 });
    expect(edges().map(({ process, requests }) => [process.pid, process.comm, requests])).toEqual([
      [10, "parent", 1],
      [11, "worker", 1],
    ]);
  });

  it("a process's name is the last one told, else it is asked for", () => {
    const { wire, edges } = startProfiling({ nameOf: (pid) => `asked-${pid}` });
    wire.process(PROCESS_STARTED, 11, "forked", 10);
    wire.process(PROCESS_RENAMED, 11, "executed");
    wire.process(PROCESS_ENDED, 12, "other");
    const c = wire.connection({ pid: 10 });
    c.read(get("/"), { pid: 11 }).write(answer(200)).read(get("/"), { pid: 12 }).write(answer(200));
    expect(edges().map(({ process }) => process.comm)).toEqual(["executed", "asked-12"]);
  });

  it("in flight, at each step", () => {
    const profiling = startProfiling();
    const c = profiling.wire.connection();
    const steps = [
      [() => c.read(get("/a").slice(0, 10)), 0],
      [() => c.read(get("/a").slice(10)), 1],
      [() => c.read(get("/b") + get("/c")), 3],
      [() => c.write(answer(200, "xx").slice(0, -1)), 3],
      [() => c.write("x"), 2],
      [() => c.write(answer(200)), 1],
      [() => c.close(), 0],
    ] as const;
    for (const [step, expected] of steps) {
      step();
      expect(inFlight(profiling)).toBe(expected);
    }
  });

  it("past a thousand edges, the rest of a process is one", () => {
    const { wire, edges } = startProfiling();
    const address = (i: number) => `10.1.${i >> 8}.${i & 255}:4000`;
    for (let i = 0; i < 1100; i++)
      wire
        .connection({ remote: address(i) })
        .read(get("/"))
        .write(answer(200))
        .close();
    expect(edges()).toHaveLength(1001);
    expect(edges()[0]).toMatchObject({ peer: { pid: null, address: "(other)", port: null }, requests: 100 });
  });
});

describe("endpoints", () => {
  it("by method and template, most requests first", () => {
    const { wire, edges } = startProfiling({ route: createRouter({ rawUris: false, templates: ["/x/{y}"] }) });
    const c = wire.connection();
    for (const uri of ["/users/1", "/users/2?a=1", "http://h/users/3", "/x/abc", "/x/def", "/plain"])
      c.read(get(uri)).write(answer(200));
    c.read(request("DELETE", "/users/9")).write(answer(204));
    c.read(request("BREW", "/pot")).write(answer(418));
    const rows = edges()[0]?.endpoints.map(({ method, uri, requests, statuses }) => [method, uri, requests, statuses]);
    expect(rows).toEqual([
      ["GET", "/users/{id}", 3, { 200: 3 }],
      ["GET", "/x/{y}", 2, { 200: 2 }],
      ["GET", "/plain", 1, { 200: 1 }],
      ["DELETE", "/users/{id}", 1, { 204: 1 }],
      ["BREW", "/pot", 1, { 418: 1 }],
    ]);
  });

  it("past maxEndpoints the rest goes to (other), and the edge's sum is right", () => {
    const { wire, edges } = startProfiling({ maxEndpoints: 3 });
    const c = wire.connection();
    for (let i = 0; i < 10; i++) c.read(get(`/${"abcdefghij"[i]}`)).write(answer(200 + i));
    c.read(get("/a")).write(answer(200));
    const [edge] = edges();
    expect(edge?.endpoints.map(({ method, uri, requests }) => [method, uri, requests])).toEqual([
      ["*", "(other)", 7],
      ["GET", "/a", 2],
      ["GET", "/b", 1],
      ["GET", "/c", 1],
    ]);
    expect([edge?.requests, Object.values(edge?.statuses ?? {}).reduce((a, b) => a + b)]).toEqual([11, 11]);
  });

  it("no endpoints at all: everything is (other)", () => {
    const { wire, edges } = startProfiling({ maxEndpoints: 0 });
    wire.connection().read(get("/")).write(answer(200)).read(get("/b")).write(answer(200));
    expect(edges()[0]?.endpoints.map(({ uri, requests }) => [uri, requests])).toEqual([["(other)", 2]]);
  });
});

describe("groups", () => {
  it("by host", () => {
    const { wire, edges } = startProfiling({ groupBy: "host" });
    const c = wire.connection();
    for (const host of ["a.example", "b.example", "a.example"])
      c.read(`GET / HTTP/1.1\r\nAccept: x\r\nhOST:  ${host} \r\n\r\n`).write(answer(200));
    c.read("GET / HTTP/1.0\r\n\r\n").write(answer(200));
    expect(edges()[0]?.groups?.map(({ key, requests }) => [key, requests])).toEqual([
      ["a.example", 2],
      ["b.example", 1],
      ["(none)", 1],
    ]);
  });

  it("by status", () => {
    const { wire, edges } = startProfiling({ groupBy: "status" });
    const c = wire.connection();
    for (const status of [200, 404, 200]) c.read(get("/")).write(answer(status));
    expect(edges()[0]?.groups?.map(({ key, requests }) => [key, requests])).toEqual([
      ["200", 2],
      ["404", 1],
    ]);
  });

  it("none unless asked for", () => {
    const { wire, edges } = startProfiling();
    wire.connection().read(get("/")).write(answer(200));
    expect(edges()[0]).not.toHaveProperty("groups");
  });
});

describe("quantities (CONTRACT: Metrics)", () => {
  it("durations: from the first byte of the request to the last of the response; ttfb to its first", () => {
    const { wire, samples, edges } = startProfiling();
    const upload = request("POST", "/", "x".repeat(10));
    const c = wire.connection();
    c.read(upload.slice(0, 20)); // at 0; each call takes a millisecond
    wire.wait(100);
    c.read(upload.slice(20)); // at 101
    wire.wait(200);
    c.write("HTTP/1.1 100 Continue\r\n\r\n"); // at 302
    wire.wait(50);
    c.write(answer(200, "yy").slice(0, -1)); // at 353
    wire.wait(500);
    c.write("y"); // at 854
    expect(samples).toMatchObject([{ durationMs: 854, ttfbMs: 353 }]);
    expect(edges()[0]).toMatchObject({ durationMs: { count: 1, sum: 854, min: 854, max: 854 }, ttfbMs: { sum: 353 } });
    const [asked, answered] = samples[0]!.events;
    expect(microsecondsOf(asked!.end) - microsecondsOf(asked!.start)).toBe(101_000);
    expect(microsecondsOf(answered!.end) - microsecondsOf(answered!.start)).toBe(501_000);
  });

  it("the same from the client's side", () => {
    const { wire, samples } = startProfiling();
    const c = wire.connection(CLIENT);
    c.write(get("/"));
    wire.wait(99);
    c.read(answer(200, "xy").slice(0, -2));
    wire.wait(9);
    c.read("xy");
    expect(samples).toMatchObject([{ side: "client", durationMs: 110, ttfbMs: 100 }]);
  });

  it("of pipelined requests each has its own start", () => {
    const { wire, samples } = startProfiling();
    const c = wire.connection();
    c.read(get("/a") + get("/b").slice(0, 5));
    wire.wait(9);
    c.read(get("/b").slice(5)).read(get("/c"));
    for (let i = 0; i < 3; i++) c.write(answer(200));
    expect(samples.map(({ durationMs }) => durationMs)).toEqual([12, 13, 3]);
  });

  it("sizes: start line, headers and body with its transfer coding", () => {
    const { wire, samples, edges } = startProfiling();
    const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const body = `5;ext=1\r\nhello\r\n${chunked("you").slice(0, -2)}X-Trailer: 1\r\n\r\n`;
    const upload = request("POST", "/", "abc");
    wire
      .connection()
      .read(upload)
      .write(head + body);
    expect(samples).toMatchObject([
      {
        request: { bytes: upload.length, headerBytes: upload.length - 3, bodyBytes: 3 },
        response: { bytes: head.length + body.length, headerBytes: head.length, bodyBytes: body.length },
      },
    ]);
    const [edge] = edges();
    expect([edge?.requestBytes.sum, edge?.responseBytes.sum]).toEqual([upload.length, head.length + body.length]);
  });

  it("CPM: exchanges completed in the window, a minute", () => {
    const { wire, profiler } = startProfiling();
    const c = wire.connection();
    for (const status of [200, 200, 404]) c.read(get("/")).write(answer(status));
    const [first] = profiler.endWindow(0, 2000).edges;
    expect(first).toMatchObject({
      requests: 3,
      cpm: 90,
      statuses: { 200: 2, 404: 1 },
      statusCpm: { 200: 60, 404: 30 },
    });
    expect(profiler.endWindow(0, 1000).edges).toEqual([]);
    c.read(get("/"));
    expect(profiler.endWindow(0, 1000).edges).toMatchObject([{ requests: 0, cpm: 0, inFlight: 1, endpoints: [] }]);
    c.write(answer(500));
    expect(profiler.endWindow(0, 1000).edges).toMatchObject([{ requests: 1, statuses: { 500: 1 }, inFlight: 0 }]);
    expect(profiler.total(0, 60_000).edges).toMatchObject([
      { requests: 4, cpm: 4, statuses: { 200: 2, 404: 1, 500: 1 } },
    ]);
  });

  it("histograms only if asked for", () => {
    const [without, withBuckets] = [false, true].map((histograms) => {
      const { wire, edges } = startProfiling({ histograms });
      wire.connection().read(get("/")).write(answer(200));
      return edges()[0]?.durationMs;
    });
    expect(without).not.toHaveProperty("buckets");
    expect(withBuckets?.buckets).toEqual([[expect.any(Number), 1]]);
  });

  it("seen and captured bytes", () => {
    const { wire, capture } = startProfiling();
    const download = answer(200, "x".repeat(1000));
    wire.connection().read(get("/")).write(download, { head: 100, tail: 8 });
    expect(capture()).toMatchObject({
      events: 3,
      seenBytes: get("/").length + download.length,
      capturedBytes: get("/").length + 108,
    });
  });
});

describe("what is not read", () => {
  it("HTTP/2 without upgrade: a warning, once for each process and port, and no more records", () => {
    const { wire, warnings, ignored } = startProfiling();
    const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const ids = [1, 1, 2].map((pid) => wire.connection({ pid, comm: "h2" }).read(preface).id);
    ids.push(wire.connection({ pid: 1, comm: "h2", local: "10.0.0.1:81" }).read(preface).id);
    expect(ignored).toEqual(ids);
    expect(warnings.map(({ code, message }) => [code, message.split(" speaks")[0]])).toEqual([
      ["http2", "h2[1] port 80"],
      ["http2", "h2[2] port 80"],
      ["http2", "h2[1] port 81"],
    ]);
  });

  it("TLS: a warning, once for each process and port", () => {
    const { wire, warnings, edges, profiler } = startProfiling();
    const asked = { pid: 1, comm: "web", local: "10.0.0.1:443" };
    for (let i = 0; i < 3; i++) wire.connection(asked).opaque().cipher(9).cipher(9, FLAG_WRITE);
    const asks = { pid: 1, comm: "web", local: "10.0.0.1:50000", remote: "10.0.0.9:8443" };
    wire.connection(asks).opaque(true).cipher(9, FLAG_WRITE).cipher(9);
    expect(warnings).toEqual([]); // its session may yet show
    profiler.tick(wire.timeNs + 1e9);
    expect(warnings.map(({ code, message }) => [code, message.split(" is")[0]])).toEqual([
      ["tls-unreadable", "web[1] port 443"],
      ["tls-unreadable", "web[1] port 8443"],
    ]);
    expect(edges()).toEqual([]);
  });

  it("TLS on the inode number of a connection whose end was lost: that is over", () => {
    const profiling = startProfiling();
    profiling.wire.connection({ id: 5, socket: 1n }).read(get("/"));
    profiling.wire.connection({ id: 5, socket: 2n }).opaque();
    expect([profiling.capture().unansweredRequests, inFlight(profiling)]).toEqual([1, 0]);
  });

  it.each([
    ["a database", "\x16\0\0\0\x03select 1"],
    ["a line protocol", "EHLO example.com\r\n"],
    ["SSH", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["a request line that breaks off", "GET / HTTX\r\n"],
    ["HTTP/0.9", "GET /\r\n"],
    ["HTTP/3.0, in so many words", "GET / HTTP/3.0\r\n\r\n"],
    ["an unknown major version", "HTTP/9.1 200 OK\r\n\r\n"],
  ])("%s is ignored", (_, text) => {
    const { wire, ignored, capture } = startProfiling();
    const c = wire.connection().read(text);
    expect(ignored).toEqual([c.id]);
    c.write("anything").close();
    expect(capture()).toMatchObject({ requests: 0, unparsedMessages: 0, coverage: 1 });
  });

  it("what breaks the grammar on a connection that spoke HTTP is counted, not ignored", () => {
    const { wire, ignored, capture, pairs } = startProfiling();
    const c = wire.connection();
    c.read(get("/a")).write(answer(200)).read("\0\x01garbage").write(answer(400)).read(get("/b")).write(answer(200));
    expect(ignored).toEqual([]);
    expect(capture()).toMatchObject({ unparsedMessages: 1, orphanResponses: 1 });
    expect(capture().coverage).toBeLessThan(1);
    expect(pairs()).toEqual(["GET /a → 200", "GET /b → 200"]);
  });

  it("past the cap the connection that was opened first is let go", () => {
    const profiling = startProfiling();
    const first = profiling.wire.connection({ socket: 1n }).read(get("/"));
    for (let i = 0; i < 65_536; i++) profiling.wire.connection({ id: 100_000 + i }).open();
    expect(profiling.ignored).toEqual([first.id]);
    expect([profiling.capture().unansweredRequests, inFlight(profiling)]).toEqual([1, 0]);
  });
});
