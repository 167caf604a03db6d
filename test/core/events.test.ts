/** What an exchange looks like as events of a span, and the socket calls that carried it. */
import { describe, expect, it } from "vitest";
import { MAX_CALLS } from "../../src/core/calls.ts";
import { CALL_READ, CALL_RECVFROM, CALL_WRITEV, FLAG_RETRANSMITS } from "../../src/core/record-layout.ts";
import { answer, get, request } from "./messages.ts";
import { startProfiling } from "./profiling.ts";

const callsOf = (events: readonly { name: string; tags: Readonly<Record<string, string>> }[]) =>
  events
    .filter(({ name }) => name.startsWith("Syscall"))
    .map(({ name, tags }) => [name, tags.data_type, tags.data_size]);

describe("the events of an exchange", () => {
  it("the request and the response, in the words of SkyWalking Rover", () => {
    const { wire, samples } = startProfiling();
    const c = wire.connection({ local: "10.0.0.1:80" });
    c.read(get("/a"), { call: CALL_READ });
    wire.wait(4);
    c.write(answer(200, "yes"), { call: CALL_WRITEV });
    const [asked, answered] = samples[0]!.events;
    const entity = { service_name: "server", service_instance_name: "10@10.0.0.1", process_name: "server" };
    expect(asked).toEqual({
      name: "HTTP Request Sampling",
      start: { seconds: 5000, nanos: 0 },
      end: { seconds: 5000, nanos: 0 },
      tags: {
        data_size: String(get("/a").length),
        data_content: get("/a"),
        data_direction: "inbound",
        data_type: "request",
        connection_role: "server",
        ...entity,
      },
      summary: { data_size: get("/a").length, call_count: 1, longest_wait_ns: 0 },
    });
    expect(answered).toMatchObject({
      name: "HTTP Response Sampling",
      start: { seconds: 5000, nanos: 5e6 },
      tags: { data_content: answer(200, "yes"), data_direction: "outbound", data_type: "response" },
    });
    expect(samples[0]!.events.slice(2)).toMatchObject([
      {
        name: "Syscall Read",
        start: { seconds: 5000, nanos: 0 },
        tags: { data_size: String(get("/a").length), thread_id: "10", data_direction: "inbound", ...entity },
      },
      { name: "Syscall Writev", start: { seconds: 5000, nanos: 5e6 }, summary: { wait_ns: 5e6 } },
    ]);
  });

  it("secrets are redacted in data_content, and a rule that keeps nothing leaves it out", () => {
    const { wire, samples } = startProfiling();
    wire.connection().read(get("/?token=hush")).write(answer(200, ""));
    expect(samples[0]!.events[0]!.tags.data_content).toMatch(/^GET \/\?token=\[redacted\] HTTP/);
  });

  it("a response in many calls shows as such, with the longest wait between two of them", () => {
    const { wire, samples } = startProfiling();
    const c = wire.connection();
    c.read(get("/"));
    c.write(answer(200, null, "Content-Length: 3"));
    c.write("a");
    wire.wait(700);
    c.write("b").write("c");
    expect(samples[0]!.events[1]!.summary).toMatchObject({ call_count: 4, longest_wait_ns: 701e6 });
    expect(callsOf(samples[0]!.events).map(([, type]) => type)).toEqual(["request", ...Array(4).fill("response")]);
  });

  it("of a response that came before its request had ended waited since the last call before it", () => {
    const { wire, samples } = startProfiling();
    const upload = request("POST", "/a", "x".repeat(90));
    const connection = wire.connection().read(upload.slice(0, -90)).write(answer(413)).read(upload.slice(-90));
    connection.close();
    const waits = samples[0]!.events.map(({ summary }) => summary.wait_ns);
    expect(waits).toEqual([undefined, undefined, undefined, 2e6, 1e6]);
  });

  it(`past ${MAX_CALLS} calls the rest is counted`, () => {
    const { wire, samples } = startProfiling();
    const c = wire.connection();
    c.read(get("/"));
    c.write(answer(200, null, "Content-Length: 100"));
    for (let i = 0; i < 100; i++) c.write("x");
    expect(samples[0]!.events[1]!.summary.call_count).toBe(101);
    expect(callsOf(samples[0]!.events)).toHaveLength(1 + MAX_CALLS);
    // The next exchange starts anew.
    c.read(get("/")).write(answer(200, "yes"));
    expect(callsOf(samples[1]!.events)).toHaveLength(2);
  });

  it("the calls of a head that came in pieces are all there, and its position is that of its first byte", () => {
    const { wire, samples } = startProfiling();
    const c = wire.connection({ inStart: 1000, outStart: 2000 });
    const post = request("POST", "/", "body");
    for (const char of post) c.read(char);
    for (const char of answer(200, "yes")) c.write(char);
    expect(samples[0]!.events[0]!.summary.call_count).toBe(post.length);
    expect(samples[0]!.events[1]!.summary.call_count).toBe(answer(200, "yes").length);
    expect([samples[0]!.wire!.request.position, samples[0]!.wire!.response.position]).toEqual([1000, 2000]);
  });

  it("pipelined requests of one call each know where they began", () => {
    const { wire, samples } = startProfiling();
    const c = wire.connection({ inStart: 100 });
    c.read(get("/a") + get("/b"), { call: CALL_RECVFROM });
    c.write(answer(200, "1") + answer(200, "22"));
    expect(samples.map(({ wire: at }) => [at!.request.position, at!.response.position])).toEqual([
      [100, 0],
      [100 + get("/a").length, answer(200, "1").length],
    ]);
    expect(samples.map(({ events }) => callsOf(events))).toEqual(
      Array(2).fill([
        ["Syscall Recvfrom", "request", String(get("/a").length + get("/b").length)],
        ["Syscall 0", "response", String(answer(200, "1").length + answer(200, "22").length)],
      ]),
    );
  });

  it("round trip time and retransmits, from one call of the connection to the next", () => {
    const { wire, samples } = startProfiling();
    const c = wire.connection();
    c.read(get("/"), { flags: FLAG_RETRANSMITS, retransmits: 254, srttUs: 40 });
    c.write(answer(200, null, "Content-Length: 2"), { flags: FLAG_RETRANSMITS, retransmits: 255, srttUs: 41 });
    c.write("ab", { flags: FLAG_RETRANSMITS, retransmits: 3, srttUs: 0 });
    const calls = samples[0]!.events.slice(2);
    expect(calls.map(({ tags }) => [tags.avg_rtt_time, tags.retransmits])).toEqual([
      ["40000ns", undefined],
      ["41000ns", "1"],
      [undefined, "4"],
    ]);
    expect(calls[1]!.summary).toMatchObject({ srtt_ns: 41_000, retransmits: 1 });
  });
});

describe("--trace-id", () => {
  const traceId = "463ac35c9f6413ad48485a3953bb6124";
  const traced = (uri: string, id = traceId) =>
    get(uri).replace("\r\n\r\n", `\r\ntraceparent: 00-${id}-00f067aa0ba902b7-01\r\n\r\n`);

  it("samples every exchange of the trace, whatever the rule says, and no other", () => {
    const rule = { uriRegex: null, slowMs: null, on4xx: true, on5xx: false, keep: "both" as const };
    const rules = [{ ...rule, maxRequestBytes: 2048, maxResponseBytes: 2048 }];
    const { wire, samples, profiler } = startProfiling({ traceId, rules });
    const c = wire.connection();
    c.read(traced("/mine")).write(answer(200, ""));
    c.read(traced("/other", traceId.replace("4", "5"))).write(answer(404, ""));
    c.read(get("/none")).write(answer(404, ""));
    c.read(traced("/mine-too")).write(answer(404, ""));
    expect(samples.map(({ request: { uri }, reasons }) => [uri, reasons])).toEqual([
      ["/mine", ["trace"]],
      ["/mine-too", ["4xx", "trace"]],
    ]);
    expect(profiler.total(0, 1).top.trace).toEqual(samples);
    expect(profiler.total(0, 1).edges[0]!.requests).toBe(4);
  });
});
