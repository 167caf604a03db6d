/** The command line as commander knows it: every option and command, grouped as --help shows them. */
import { Command, Option } from "commander";
import type { GroupBy, HostPort } from "../config.ts";
import { DOCTOR_NOTES, EXAMPLES, REPLAY_NOTES, RULES_NOTES, USAGE } from "./help.ts";
import {
  hostPort,
  httpUrl,
  integer,
  intervalMs,
  listOf,
  nonEmpty,
  oneOf,
  podName,
  positiveDurationMs,
  type Reader,
  ringBytes,
  uriTemplate,
  zipkinPlace,
} from "./values.ts";

/** What commander collects; the rule flags are read from its events instead (rule-flags.ts). */
export interface Flags {
  readonly pid?: readonly number[];
  readonly follow: boolean;
  readonly cgroup?: readonly string[];
  readonly comm?: readonly string[];
  readonly container?: readonly string[];
  readonly pod?: readonly string[];
  readonly unit?: readonly string[];
  readonly all?: true;
  readonly port?: readonly number[];
  readonly top: number;
  readonly maxSamplesPerSecond: number;
  readonly onlyTraced?: true;
  readonly traceId?: string;
  readonly showSecrets?: true;
  readonly json?: true;
  readonly plain?: true;
  readonly interval: number;
  readonly output?: string;
  readonly groupBy: GroupBy;
  readonly rawUris?: true;
  readonly uriTemplate?: readonly string[];
  readonly maxEndpoints: number;
  readonly histograms?: true;
  readonly tcp?: true;
  readonly topology?: true;
  readonly dot?: true;
  readonly mermaid?: true;
  readonly color: boolean;
  readonly zipkin?: string;
  readonly zipkinUntraced?: true;
  readonly skywalking?: HostPort;
  readonly otlp?: string;
  readonly prometheus?: HostPort;
  readonly har?: string;
  readonly pcap?: string;
  readonly curl?: string;
  readonly duration?: number;
  readonly count?: number;
  readonly record?: string;
  readonly bufferSize: number;
  readonly resolve?: true;
  readonly callTimes?: true;
  readonly tls: "auto" | "off";
  readonly debug?: true;
}

/** What the commands of the command line lead to. */
export interface Handlers {
  run(): void;
  replay(file: string): void;
  doctor(): void;
}

export function createProgram(version: string, handlers: Handlers): Command {
  const program = new Command("l7prof")
    .usage(USAGE)
    .description("Shows what HTTP a running process serves and calls, from the kernel: no change to it, no restart.")
    .addHelpText("after", RULES_NOTES + EXAMPLES)
    .action(handlers.run);
  addTargets(program);
  addSampling(program);
  addViews(program);
  addExports(program);
  addLimits(program);
  addHelp(program, version);
  const replay = program.command("replay <file>").description("the same analysis over a recording; needs no root");
  replay.addHelpText("after", REPLAY_NOTES).action(handlers.replay);
  const doctor = program.command("doctor").description("say what this host lacks, and the fix");
  doctor.usage("[--json] [-p PID]").addHelpText("after", DOCTOR_NOTES).action(handlers.doctor);
  return program;
}

function addTargets(program: Command): void {
  program.optionsGroup("Targets (they add up):");
  add(program, "-p, --pid <pid>", "a process and its children; repeatable, comma lists", many(listOf(PID)));
  add(program, "--no-follow", "with --pid: that process alone, without its children");
  add(program, "--cgroup <path>", "every process below a cgroup v2 directory; repeatable", many(one(nonEmpty)));
  add(program, "--comm <name>", "every process of that name; repeatable", many(one(nonEmpty)));
  add(program, "--container <id|name>", "every process of a container; repeatable", many(one(nonEmpty)));
  add(program, "--pod <namespace/name>", "every process of a Kubernetes pod; repeatable", many(one(podName)));
  add(program, "--unit <name>", "every process of a systemd unit; repeatable", many(one(nonEmpty)));
  add(program, "--all", "the whole machine, l7prof itself left out");
  add(program, "--port <port>", "only connections with this local or remote port; repeatable", many(listOf(PORT)));
}

const PID = integer(1, 2 ** 22, "a process id");
const PORT = integer(1, 65535, "a port");

/** Those of a rule have no reader here: rule-flags.ts reads them, in order. */
function addSampling(program: Command): void {
  program.optionsGroup("Sampling, per rule:");
  add(program, "--uri-regex <re>", "open a rule for the URIs that match (RE2, without the query)");
  add(program, "--slow <duration>", "sample exchanges that took at least this long");
  add(program, "--4xx", "sample responses with a status in [400, 500)");
  add(program, "--5xx", "sample responses with a status in [500, 600)");
  add(program, "--keep <part>", "raw data to keep: request, response, both or none (default: both)");
  add(program, "--max-request-size <bytes>", "how much of a request, headers and body together (default: 2048)");
  add(program, "--max-response-size <bytes>", "how much of a response (default: 2048)");
  program.optionsGroup("Samples:");
  add(program, "--top <n>", "the slowest N of each reason and edge in the summary", COUNT, 10);
  add(program, "--max-samples-per-second <n>", "how many to print live at most", COUNT, 100);
  add(program, "--only-traced", "only samples that carry a trace context");
  add(program, "--trace-id <id>", "sample the exchanges of this trace, all of them and no others", nonEmpty);
  add(program, "--show-secrets", "don't replace secrets by [redacted]");
}

const COUNT = integer(0, Number.MAX_SAFE_INTEGER, "a number");
const AT_LEAST_ONE = integer(1, Number.MAX_SAFE_INTEGER, "a number of at least one");

function addViews(program: Command): void {
  program.optionsGroup("Views:");
  add(program, "--plain", "tables as text, also on a terminal");
  add(program, "--json", "NDJSON, one object a line");
  add(program, "--topology", "who called whom, one line a pair, when the run has ended");
  add(program, "--dot", "the same as a graph for Graphviz");
  add(program, "--mermaid", "the same as a Mermaid flowchart");
  add(program, "--tcp", "tables of what TCP went through, too");
  add(program, "--interval <duration>", "how often to show; 0: the summary alone", intervalMs, 1000, "1s");
  add(program, "-o, --output <file>", "write there instead of to stdout", nonEmpty);
  add(
    program,
    "--group-by <what>",
    "rows of the main table: endpoint, edge, host or status",
    oneOf(GROUPS),
    "endpoint",
  );
  add(program, "--resolve", "names for the addresses of other machines, from the DNS");
  add(program, "--raw-uris", "URIs as they are, not as templates (/users/{id})");
  add(program, "--uri-template <template>", "a template by hand (/a/{x}/b); repeatable", many(one(uriTemplate)));
  add(program, "--max-endpoints <n>", "past them, the rest goes to (other)", AT_LEAST_ONE, 1000);
  add(program, "--histograms", "add the buckets to the distributions of --json");
  add(program, "--no-color", "no colour");
}

const GROUPS: readonly GroupBy[] = ["endpoint", "edge", "host", "status"];

function addExports(program: Command): void {
  program.optionsGroup("Exports (several at once):");
  add(
    program,
    "--zipkin <url|file>",
    "attach samples to their spans in Zipkin, or write the JSON to a file",
    zipkinPlace,
  );
  add(program, "--zipkin-untraced", "with --zipkin: samples without a span become one");
  add(
    program,
    "--skywalking <host:port>",
    "attach samples to their spans in SkyWalking (gRPC)",
    hostPort(null, 11_800),
  );
  add(program, "--otlp <url>", "spans of samples, and metrics, over OTLP/HTTP", httpUrl);
  add(
    program,
    "--prometheus <[host:]port>",
    "serve metrics there, on loopback unless told",
    hostPort("127.0.0.1", null),
  );
  add(program, "--har <file>", "samples as HAR, for the network tools of browsers", nonEmpty);
  add(program, "--pcap <file>", "samples as pcapng, for Wireshark and tshark", nonEmpty);
  add(program, "--curl <file>", "a shell script that sends the sampled requests again", nonEmpty);
}

function addLimits(program: Command): void {
  program.optionsGroup("Run:");
  add(program, "--duration <duration>", "stop after this long", positiveDurationMs);
  add(program, "--count <n>", "stop after this many exchanges", AT_LEAST_ONE);
  add(program, "--record <file>", "record what the kernel says, for l7prof replay", nonEmpty);
  add(program, "--buffer-size <bytes>", "the kernel's ring buffer, a power of two", ringBytes, 16 * 1024 ** 2, "16MiB");
  add(program, "--call-times", "note when socket calls begin, too, so that those that block show");
  add(program, "--tls <how>", "auto: read HTTPS at the TLS libraries' calls; off: don't", oneOf(TLS), "auto");
  add(program, "--debug", "on an error, the stack as well");
}

const TLS: readonly ("auto" | "off")[] = ["auto", "off"];

function addHelp(program: Command, version: string): void {
  program.optionsGroup("Help:");
  program.version(version, "-V, --version", "print the version");
  program.helpOption("-h, --help", "print this help");
  program.helpCommand("help [command]", "print the help of a command");
}

/** Turns the value of an option, and for repeatable ones those before it, into what Flags holds. */
type Collector<T> = (flag: string, text: string, before: T | undefined) => T;

function many<T>(read: Reader<readonly T[]>): Collector<readonly T[]> {
  return (flag, text, before = []) => [...before, ...read(flag, text)];
}

function one<T>(read: Reader<T>): Reader<readonly T[]> {
  return (flag, text) => [read(flag, text)];
}

function add<T>(
  program: Command,
  flags: string,
  description: string,
  collect?: Collector<T>,
  byDefault?: T,
  shown?: string,
): void {
  const option = new Option(flags, description);
  const flag = option.long ?? flags;
  if (collect) option.argParser((text, before: T | undefined) => collect(flag, text, before));
  if (byDefault !== undefined) option.default(byDefault, shown ?? String(byDefault));
  program.addOption(option);
}
