import type { SamplingRule } from "./core/profile/start.ts";

/** Everything the command line says, checked and in plain units: what run.ts works from. */
export interface Config {
  readonly targets: TargetConfig;
  /** `-- CMD ARG…`: the program to start and profile, or null. */
  readonly command: readonly string[] | null;
  /** `replay FILE`: the recording to read instead of the kernel, or null. */
  readonly replayFile: string | null;
  /** `--record FILE`. */
  readonly recordFile: string | null;
  /** In the order of the command line; the last is the default rule (`uriRegex` null). Never empty. */
  readonly rules: readonly SamplingRule[];
  readonly topN: number;
  readonly maxSamplesPerSecond: number;
  readonly onlyTraced: boolean;
  /** `--trace-id`: the samples are the exchanges of this trace. */
  readonly traceId: string | null;
  readonly showSecrets: boolean;
  readonly routes: RouteConfig;
  readonly view: ViewConfig;
  readonly exports: ExportConfig;
  /**
   * The live screen: stdin and stdout are a terminal, there is none of `--plain`, `--json`, `-o` and `--interval 0`, and
   * no command that has the terminal for itself.
   */
  readonly live: boolean;
  /** Stop after this long; null: no limit. */
  readonly durationMs: number | null;
  /** Stop after this many exchanges; null: no limit. */
  readonly count: number | null;
  /** Size of the kernel's ring buffer in bytes, a power of two (`--buffer-size`). */
  readonly ringBytes: number;
  /** `--resolve`: ask the DNS for the names of addresses. */
  readonly resolve: boolean;
  /** When each call began is noted, too: `--call-times`, and what shows it. */
  readonly isTimingCalls: boolean;
  /** `--tls auto|off`: whether the plaintext of HTTPS is read. */
  readonly isReadingTls: boolean;
  readonly debug: boolean;
}

export interface TargetConfig {
  readonly pids: readonly number[];
  /** False with `--no-follow`: a PID's children are left out. */
  readonly follow: boolean;
  readonly cgroups: readonly string[];
  readonly comms: readonly string[];
  /** IDs, of which 12 digits are enough, or names. */
  readonly containers: readonly string[];
  /** `NAMESPACE/NAME`. */
  readonly pods: readonly string[];
  /** Of systemd; `.service` may be left out. */
  readonly units: readonly string[];
  readonly all: boolean;
  /** Narrow to connections with one of these local or remote ports; empty: all. */
  readonly ports: readonly number[];
}

export interface RouteConfig {
  /** `--raw-uris`: no templates. */
  readonly rawUris: boolean;
  /** `--uri-template`, in order. */
  readonly templates: readonly string[];
  /** `--max-endpoints`: past it the rest goes to `(other)`. */
  readonly maxEndpoints: number;
}

/** Where samples and metrics go besides the view; each null without its flag. */
export interface ExportConfig {
  /** `--zipkin`: the URL that takes spans, or a file. */
  readonly zipkin: string | null;
  /** `--zipkin-untraced`: exchanges without a span become one. */
  readonly zipkinUntraced: boolean;
  /** `--skywalking`: the gRPC address of the OAP server. */
  readonly skywalking: HostPort | null;
  /** `--otlp`: the base URL of an OTLP/HTTP receiver. */
  readonly otlp: string | null;
  /** `--prometheus`: where to listen. */
  readonly prometheus: HostPort | null;
  readonly harFile: string | null;
  readonly pcapFile: string | null;
  readonly curlFile: string | null;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export function isExporting({ zipkinUntraced: _, ...places }: ExportConfig): boolean {
  return Object.values(places).some((place) => place !== null);
}

export type GroupBy = "endpoint" | "edge" | "host" | "status";

export interface ViewConfig {
  readonly format: "text" | "ndjson" | "topology" | "dot" | "mermaid";
  /** `-o FILE`, or null for stdout. */
  readonly outputFile: string | null;
  /** 0: the summary alone. */
  readonly intervalMs: number;
  readonly groupBy: GroupBy;
  readonly histograms: boolean;
  /** `--tcp`: tables of what TCP went through. */
  readonly tcp: boolean;
  readonly color: boolean;
  /** Columns of the terminal; 80 when there is none. */
  readonly columns: number;
}
