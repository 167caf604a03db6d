/**
 * One run, top to bottom: records come from the kernel or a recording, go through the profiler
 * (src/core/profiler.ts: decode → stream → message → exchange → sample and aggregate), and come out as a view.
 */

import { AddressNames } from "./address-names.ts";
import { Command } from "./command.ts";
import { type Config, isExporting } from "./config.ts";
import { onEndSignals } from "./end-signals.ts";
import type { ExportSurroundings } from "./export/exports.ts";
import type { Output } from "./output/output.ts";
import { RecordingSource } from "./recording/reader.ts";
import { RecordingWriter } from "./recording/writer.ts";
import { Sink } from "./sink.ts";
import type { Source } from "./source.ts";
import { version } from "./version.ts";
import { together, type View, writtenView } from "./view.ts";

/** Answers the exit code. @throws UserError */
export async function run(config: Config): Promise<number> {
  const command = config.command === null ? null : new Command(config.command);
  try {
    return await profile(config, command);
  } catch (error) {
    command?.abort();
    throw error;
  }
}

async function profile(config: Config, command: Command | null): Promise<number> {
  // The verifier works on another thread, so that the rest of the program can be read meanwhile.
  const [source, { Session }, { outputs }, openExports] = await Promise.all([
    openSource(config, command),
    import("./session.ts"),
    import("./output/index.ts"),
    loadExports(config),
  ]);
  const names = new AddressNames(config.resolve);
  const written = openOutput(config, outputs[config.view.format](config.view), source);
  const main = config.live ? await openScreen(config, written) : written;
  const view = await withExports(main, openExports, config, source);
  try {
    const session = new Session(config, source, view, openRecording(config, source), (address) => names.of(address));
    onEndSignals(() => source.stop("signal"));
    session.start({ l7prof: version(), targets: source.targets, rules: config.rules });
    command?.release();
    const { ended, endNs } = await source.run(session);
    session.finish(ended, endNs);
    await view.end();
    if (source instanceof RecordingSource) source.checkWhole();
    return (await command?.status()) ?? 0;
  } finally {
    names.close();
    await source.close();
    view.close();
  }
}

async function openSource(config: Config, command: Command | null): Promise<Source> {
  if (config.replayFile !== null) return new RecordingSource(config.replayFile);
  const { LiveSource } = await import("./kernel/live.ts");
  return LiveSource.open(config, command?.pid ?? null);
}

type OpenExports = (surroundings: ExportSurroundings) => Promise<View>;

/** Null if there are none: then nothing of them is loaded. */
async function loadExports({ exports }: Config): Promise<OpenExports | null> {
  return isExporting(exports) ? (await import("./export/exports.ts")).loadExports(exports) : null;
}

async function withExports(main: View, open: OpenExports | null, config: Config, source: Source): Promise<View> {
  if (open === null) return main;
  try {
    const exports = await open({
      warn: (message) => main.warning({ timeUs: Date.now() * 1000, code: "export", message }),
      tell: (text) => void process.stderr.write(text),
      isReplay: config.replayFile !== null,
    });
    // `--interval 0` shows the summary alone; the exports get the samples all the same.
    const isSilent = config.view.format === "text" && config.view.intervalMs === 0 && !config.live;
    return together(isSilent ? { ...main, sample() {} } : main, exports);
  } catch (error) {
    source.close();
    main.close();
    throw error;
  }
}

/** What it needs is loaded only if it is shown. */
async function openScreen(config: Config, after: View): Promise<View> {
  const tui = await import("./tui/open.ts");
  return tui.openScreen(config, after);
}

function openOutput({ view: { outputFile } }: Config, output: Output, source: Source): View {
  const sink = new Sink(outputFile, () => source.stop("signal"));
  return writtenView(output, {
    write: (text) => sink.write(text),
    tell: (text) => void process.stderr.write(text),
    close: () => sink.close(),
  });
}

function openRecording({ recordFile }: Config, { startUs, startNs, targets }: Source): RecordingWriter | null {
  if (recordFile === null) return null;
  return new RecordingWriter(recordFile, { l7prof: version(), startUs, startNs, targets });
}
