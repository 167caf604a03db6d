/** The exports of a run as one more view of it. Whatever goes wrong in one of them stays there. */
import type { ExportConfig } from "../config.ts";
import type { Sample } from "../core/profile/sample.ts";
import type { View } from "../view.ts";
import type { Delivered, Exporter, Trouble } from "./exporter.ts";

export interface ExportSurroundings {
  /** Warns while the run goes on. */
  readonly warn: Trouble;
  /** For people, when the run is over. */
  readonly tell: (text: string) => void;
  readonly isReplay: boolean;
}

type Opener = (trouble: Trouble, surroundings: ExportSurroundings) => Exporter | Promise<Exporter>;

/**
 * Loads what the flags ask for, and nothing else. The answer opens it. @throws UserError where a file or a port can't be
 * had
 */
export async function loadExports(config: ExportConfig): Promise<(surroundings: ExportSurroundings) => Promise<View>> {
  const openers = await Promise.all(loadOpeners(config));
  return async (surroundings) => {
    // After the summary there is only the word at the end.
    let isOver = false;
    const warn: Trouble = (message) => {
      if (!isOver) surroundings.warn(message);
    };
    const exporters: Exporter[] = [];
    for (const [name, open] of openers) {
      exporters.push(await open((message) => warn(`${name}: ${message}`), surroundings));
    }
    const view = exportView(exporters, { ...surroundings, warn });
    return {
      ...view,
      summary(summary) {
        isOver = true;
        view.summary(summary);
      },
    };
  };
}

function* loadOpeners(config: ExportConfig): Generator<Promise<[flag: string, open: Opener]>> {
  const { zipkin, zipkinUntraced, skywalking, otlp, prometheus, harFile, pcapFile, curlFile } = config;
  const load = async <M>(flag: string, module: Promise<M>, open: (module: M) => Opener): Promise<[string, Opener]> => [
    flag,
    open(await module),
  ];
  if (zipkin !== null) {
    yield load(
      "--zipkin",
      import("./zipkin.ts"),
      ({ openZipkin }) =>
        (trouble) =>
          openZipkin(zipkin, zipkinUntraced, trouble),
    );
  }
  if (skywalking !== null) {
    yield load(
      "--skywalking",
      import("./skywalking.ts"),
      ({ openSkywalking }) =>
        (trouble) =>
          openSkywalking(skywalking, trouble),
    );
  }
  if (otlp !== null)
    yield load(
      "--otlp",
      import("./otlp.ts"),
      ({ openOtlp }) =>
        (trouble) =>
          openOtlp(otlp, trouble),
    );
  if (prometheus !== null) {
    yield load(
      "--prometheus",
      import("./prometheus.ts"),
      ({ openPrometheus }) =>
        (_, { isReplay, tell }) =>
          openPrometheus(prometheus, isReplay ? tell : null),
    );
  }
  if (harFile !== null)
    yield load(
      "--har",
      import("./har.ts"),
      ({ openHar }) =>
        (trouble) =>
          openHar(harFile, trouble),
    );
  if (pcapFile !== null)
    yield load(
      "--pcap",
      import("./pcap.ts"),
      ({ openPcap }) =>
        (trouble) =>
          openPcap(pcapFile, trouble),
    );
  if (curlFile !== null)
    yield load(
      "--curl",
      import("./curl.ts"),
      ({ openCurl }) =>
        (trouble) =>
          openCurl(curlFile, trouble),
    );
}

export function exportView(exporters: readonly Exporter[], { warn, tell }: ExportSurroundings): View {
  const exported = new WeakSet<Sample>();
  const broken = new Set<Exporter>();
  const each = (step: (exporter: Exporter) => void) => {
    for (const exporter of exporters) {
      try {
        step(exporter);
      } catch (error) {
        if (!broken.has(exporter)) warn(`${exporter.name}: ${error instanceof Error ? error.message : String(error)}`);
        broken.add(exporter);
      }
    }
  };
  const sample = (one: Sample) => {
    exported.add(one);
    each((exporter) => exporter.sample?.(one));
  };
  const counting = exporters.flatMap(({ exchange }) => (exchange === undefined ? [] : [exchange]));
  const [first] = counting;
  return {
    start: (start, run) => each((exporter) => exporter.start?.(start, run)),
    ...(first !== undefined && {
      exchange:
        counting.length === 1 ? first : (edge, exchange) => counting.forEach((count) => void count(edge, exchange)),
    }),
    window: (window) => each((exporter) => exporter.window?.(window)),
    sample,
    warning() {},
    summary(summary) {
      // The slowest are always among them, also those that were held back from the live output.
      const { slow, "4xx": clientErrors, "5xx": serverErrors, trace = [] } = summary.top;
      for (const one of [...slow, ...clientErrors, ...serverErrors, ...trace]) if (!exported.has(one)) sample(one);
      each((exporter) => exporter.summary?.(summary));
    },
    async end() {
      const ends = await Promise.all(exporters.map(async (exporter) => [exporter.name, await exporter.end()] as const));
      for (const [name, delivered] of ends) tell(`l7prof: ${name}: ${wordsOf(delivered)}\n`);
    },
    close() {},
  };
}

function wordsOf({ what, sent, givenUp, givenUpWhat, why, leftOut }: Delivered): string {
  const parts = [`${sent} ${what}`, ...(leftOut ? [leftOut] : [])];
  if (givenUp > 0) parts.push(`${givenUpWhat ?? givenUp} LOST (${why})`);
  return parts.join(", ");
}
