import { describe, expect, it } from "vitest";
import { act, config, errorOf, pipe, tty } from "./terminal.ts";

describe("parse", () => {
  it("gives a Config of defaults to a bare target", () => {
    expect(config("--all")).toEqual({
      targets: {
        pids: [],
        follow: true,
        cgroups: [],
        comms: [],
        containers: [],
        pods: [],
        units: [],
        all: true,
        ports: [],
      },
      command: null,
      replayFile: null,
      recordFile: null,
      rules: [
        {
          uriRegex: null,
          slowMs: 1000,
          on4xx: true,
          on5xx: true,
          keep: "both",
          maxRequestBytes: 2048,
          maxResponseBytes: 2048,
        },
      ],
      topN: 10,
      maxSamplesPerSecond: 100,
      onlyTraced: false,
      traceId: null,
      showSecrets: false,
      routes: { rawUris: false, templates: [], maxEndpoints: 1000 },
      view: {
        format: "text",
        outputFile: null,
        intervalMs: 1000,
        groupBy: "endpoint",
        histograms: false,
        tcp: false,
        color: false,
        columns: 80,
      },
      exports: {
        zipkin: null,
        zipkinUntraced: false,
        skywalking: null,
        otlp: null,
        prometheus: null,
        harFile: null,
        pcapFile: null,
        curlFile: null,
      },
      live: false,
      durationMs: null,
      count: null,
      ringBytes: 16777216,
      resolve: false,
      isReadingTls: true,
      isTimingCalls: false,
      debug: false,
    });
  });

  it.each([
    ["-p 1", { targets: { pids: [1] } }],
    ["-p1", { targets: { pids: [1] } }],
    ["--pid=1", { targets: { pids: [1] } }],
    ["-p 1,2 --pid 3 -p 2", { targets: { pids: [1, 2, 3] } }],
    ["-p '1, 2'", { targets: { pids: [1, 2] } }],
    ["-p 1 --no-follow", { targets: { pids: [1], follow: false } }],
    ["--cgroup /a --cgroup /b", { targets: { cgroups: ["/a", "/b"] } }],
    ["--comm nginx --comm 'a b'", { targets: { comms: ["nginx", "a b"] } }],
    ["-p 1 --comm a --cgroup /c", { targets: { pids: [1], comms: ["a"], cgroups: ["/c"] } }],
    ["--all --port 80,443 --port 8080", { targets: { all: true, ports: [80, 443, 8080] } }],
    ["--all --top 3 --max-samples-per-second 7", { topN: 3, maxSamplesPerSecond: 7 }],
    ["--all --only-traced --show-secrets", { onlyTraced: true, showSecrets: true }],
    ["--all --raw-uris --max-endpoints 5", { routes: { rawUris: true, maxEndpoints: 5 } }],
    ["--all --uri-template /a/{x}/b --uri-template=/c/{y}.png", { routes: { templates: ["/a/{x}/b", "/c/{y}.png"] } }],
    ["--all --json --histograms", { view: { format: "ndjson", histograms: true } }],
    ["--all -o out.txt --group-by host", { view: { outputFile: "out.txt", groupBy: "host" } }],
    ["--all --interval 0", { view: { intervalMs: 0 } }],
    ["--all --interval 500", { view: { intervalMs: 500 } }],
    ["--all --interval 2s", { view: { intervalMs: 2000 } }],
    ["--all --duration 1.5s --count 3", { durationMs: 1500, count: 3 }],
    ["--all --duration 2m", { durationMs: 120_000 }],
    ["--all --pid 1 --comm a", { targets: { all: true, pids: [1], comms: ["a"] } }],
    ["--all --record run.l7", { recordFile: "run.l7" }],
    ["--all --tls auto", { isReadingTls: true }],
    ["--all --tls off", { isReadingTls: false }],
    ["--all --buffer-size 1", { ringBytes: 4096 }],
    ["--all --buffer-size 4096", { ringBytes: 4096 }],
    ["--all --buffer-size 4097", { ringBytes: 8192 }],
    ["--all --buffer-size 32MiB", { ringBytes: 33_554_432 }],
    ["--all --debug", { debug: true }],
    ["-- sleep 1", { command: ["sleep", "1"] }],
    ["--slow 1s -- curl --json -- x", { command: ["curl", "--json", "--", "x"], view: { format: "text" } }],
    ["-p 1 -- sleep 1", { command: ["sleep", "1"], targets: { pids: [1] } }],
    ["--all -- sleep 1", { command: ["sleep", "1"], targets: { all: true } }],
    ["replay run.l7", { replayFile: "run.l7", targets: { pids: [], all: false } }],
    ["replay run.l7 --json --slow 50ms", { replayFile: "run.l7", view: { format: "ndjson" }, rules: [{ slowMs: 50 }] }],
    ["--json replay run.l7 --count 3", { replayFile: "run.l7", view: { format: "ndjson" }, count: 3 }],
  ])("%s", (line, expected) => {
    expect(config(line)).toMatchObject(expected);
  });

  it.each([
    ["--zipkin http://z:9411", { zipkin: "http://z:9411/api/v2/spans" }],
    ["--zipkin http://z:9411/ --zipkin-untraced", { zipkin: "http://z:9411/api/v2/spans", zipkinUntraced: true }],
    ["--zipkin https://z/zipkin/api/v2/spans", { zipkin: "https://z/zipkin/api/v2/spans" }],
    ["--zipkin spans.json", { zipkin: "spans.json" }],
    ["--skywalking oap", { skywalking: { host: "oap", port: 11_800 } }],
    ["--skywalking [::1]:12", { skywalking: { host: "::1", port: 12 } }],
    ["--otlp http://127.0.0.1:4318/", { otlp: "http://127.0.0.1:4318" }],
    ["--prometheus 9464", { prometheus: { host: "127.0.0.1", port: 9464 } }],
    ["--prometheus 0.0.0.0:9464", { prometheus: { host: "0.0.0.0", port: 9464 } }],
    ["--har a --pcap b --curl c", { harFile: "a", pcapFile: "b", curlFile: "c" }],
  ])("exports: %s", (line, exports) => {
    expect(config(`--all ${line}`).exports).toMatchObject(exports);
  });

  it.each([
    ["doctor", { kind: "doctor", json: false, color: false, pids: [] }],
    ["doctor --json -p 1,2", { kind: "doctor", json: true, color: false, pids: [1, 2] }],
    ["--json doctor --debug --no-color", { kind: "doctor", json: true, color: false, pids: [] }],
  ])("%s", (line, action) => {
    expect(act(line)).toEqual(action);
  });

  it.each([
    ["--version", /^\d+\.\d+\.\d+\n$/],
    ["-V", /^\d+\.\d+\.\d+\n$/],
    ["--help", /^Usage: l7prof /],
    ["-h", /^Usage: l7prof /],
    ["help", /^Usage: l7prof /],
    ["--all --help", /^Usage: l7prof /],
    ["replay --help", /^Usage: l7prof replay /],
    ["help doctor", /^Usage: l7prof doctor /],
  ])("%s prints", (line, text) => {
    expect(act(line)).toEqual({ kind: "print", text: expect.stringMatching(text) });
  });
});

describe("the terminal", () => {
  const dumb = { ...tty, env: { TERM: "dumb" } };
  it.each([
    ["--all", tty, true, true],
    ["--all", pipe, false, false],
    ["--all --plain", tty, true, false],
    ["--all --json", tty, false, false],
    ["--all -o f", tty, false, false],
    ["--all --no-color", tty, false, true],
    ["--all", dumb, false, false],
    ["--all", { ...tty, hasKeyboard: false }, true, false],
    ["--all --interval 0", tty, true, false],
    ["-- ls", tty, true, false],
    ["--all", { ...tty, env: { NO_COLOR: "1" } }, false, true],
    ["--all", { ...tty, env: { NO_COLOR: "" } }, true, true],
    ["--all", { ...tty, env: { NO_COLOR: "1", FORCE_COLOR: "1" } }, false, true],
    ["--all", { ...tty, env: { FORCE_COLOR: "0" } }, false, true],
    ["--all", { ...pipe, env: { FORCE_COLOR: "1" } }, true, false],
    ["--all", { ...pipe, env: { FORCE_COLOR: "" } }, true, false],
    ["--all", { ...pipe, env: { FORCE_COLOR: "false" } }, false, false],
    ["--all -o f", { ...tty, env: { FORCE_COLOR: "1" } }, false, false],
  ])("%s on %j: color %s, live %s", (line, terminal, color, live) => {
    expect(config(line, terminal)).toMatchObject({ live, view: { color, columns: terminal.columns ?? 80 } });
  });

  it("colours doctor by the same rules", () => {
    expect(act("doctor", tty)).toMatchObject({ color: true });
    expect(act("doctor --json", tty)).toMatchObject({ color: false });
  });
});

describe("a wrong command line", () => {
  it.each([
    ["", "no-target", "--pid PID"],
    ["--json", "no-target", "--pid PID"],
    ["--port 80", "no-target", "--all"],
    ["--", "missing-command", "-- CMD"],
    ["--all --", "missing-command", "-- CMD"],
    ["--slo 1s", "unknown-option", "did you mean --slow?"],
    ["--all --xyzzy", "unknown-option", "--help"],
    ["-x", "unknown-option", "--help"],
    ["--all --slow", "missing-value", "--slow <duration>"],
    ["-p", "missing-value", "--pid <pid>"],
    ["nginx", "unexpected-argument", "l7prof -- nginx"],
    ["node server.js", "unexpected-argument", "l7prof -- node server.js"],
    ["replay", "missing-file", "--record"],
    ["replay a b", "unexpected-argument", "one recording"],
    ["doctor a", "unexpected-argument", "doctor [--json]"],
    ["-p abc", "bad-value", "whole number"],
    ["-p 0", "bad-value", "whole number"],
    ["-p -5", "bad-value", "whole number"],
    ["-p 1.5", "bad-value", "whole number"],
    ["-p 1,,2", "bad-value", "whole number"],
    ["-p 99999999999", "bad-value", "4194304"],
    ["--pid=", "bad-value", "whole number"],
    ["--all --port 65536", "bad-value", "65535"],
    ["--comm=", "bad-value", "--comm"],
    ["--all --slow fast", "bad-value", "250ms"],
    ["--all --slow -1", "bad-value", "250ms"],
    ["--all --slow 1d", "bad-value", "250ms"],
    ["--all --interval 1", "bad-value", "--interval 1s"],
    ["--all --interval 5ms", "bad-value", "at least 10ms"],
    ["--all --duration 0", "bad-value", "leave it out"],
    ["--all --count 0", "bad-value", "1 or more"],
    ["--all --top many", "bad-value", "0 or more"],
    ["--all --max-endpoints 0", "bad-value", "1 or more"],
    ["--all --max-request-size 1x", "bad-value", "16MiB"],
    ["--all --buffer-size 2G", "bad-value", "1GiB"],
    ["--all --keep all", "bad-value", "request, response, both, none"],
    ["--all --group-by uri", "bad-value", "endpoint, edge, host, status"],
    ["--all --uri-template a/{x}", "bad-value", "/shops/{shop}"],
    ["--all --uri-template /{a}{b}", "bad-value", "/shops/{shop}"],
    ["--all --uri-template /a?b", "bad-value", "/shops/{shop}"],
    ["--all --zipkin http:", "bad-value", "write it like"],
    ["--all --zipkin-untraced", "conflict", "--zipkin http"],
    ["--all --skywalking oap:0", "bad-value", "oap.example:11800"],
    ["--all --otlp localhost:4318", "bad-value", "http://127.0.0.1:4318"],
    ["--all --prometheus here", "bad-value", "9464"],
    ["--all --prometheus 65536", "bad-value", "9464"],
    ["--all --json --plain", "conflict", "choose one"],
    ["--all --no-follow", "conflict", "leave --no-follow out"],
    ["replay f --pid 1", "conflict", "leave --pid out"],
    ["replay f --comm a", "conflict", "leave --comm out"],
    ["replay f --all", "conflict", "leave --all out"],
    ["replay f --port 80", "conflict", "leave --port out"],
    ["replay f --record g", "conflict", "leave --record out"],
    ["replay f --buffer-size 1M", "conflict", "leave --buffer-size out"],
    ["replay f --no-follow", "conflict", "leave --no-follow out"],
    ["replay f -- sleep 1", "conflict", "leave a command after -- out"],
    ["doctor --slow 1s", "conflict", "doctor [--json]"],
    ["doctor -- sleep 1", "conflict", "doctor [--json]"],
  ])("%s → %s", (line, code, hint) => {
    const error = errorOf(line);
    expect(error).toMatchObject({ code, exitCode: 2, hint: expect.stringContaining(hint) });
    expect(error.message + error.hint).not.toContain("\n");
  });
});
