/** The live screen: a view of the run that keys steer. Everything it shows is a function (app.tsx) of its model. */
import { renderToString } from "ink";
import type { Config } from "../config.ts";
import type { Metrics } from "../core/profile/figures.ts";
import type { Sample } from "../core/profile/sample.ts";
import type { Start } from "../core/profile/start.ts";
import type { Summary, Warning, Window } from "../core/profile/window.ts";
import { formatDuration } from "../output/units.ts";
import type { Run, View } from "../view.ts";
import { App, type Model, pageOf } from "./app.tsx";
import { CostMeter } from "./cost-meter.ts";
import { curlCommand } from "./curl.ts";
import { Ending } from "./ending.ts";
import { type Effect, effectOf, press } from "./press.ts";
import { ReadingMeter } from "./reading-meter.ts";
import { type RunData, RunDataCollector } from "./run-data.ts";
import { saveSample } from "./save.ts";
import { initialState, type State } from "./state.ts";
import { Terminal } from "./terminal.ts";
import { themeOf } from "./theme.ts";

/** A recording has many windows in no time. */
const LEAST_FRAME_MS = 100;
const PROGRESS_MS = 250;

export class Screen implements View {
  private readonly config: Config;
  /** Where the summary goes when the screen is gone. */
  private readonly after: View;
  private readonly terminal: Terminal;
  private readonly collector = new RunDataCollector();
  private readonly cost = new CostMeter();
  private readonly reading = new ReadingMeter();
  private run: Run | null = null;
  /** What is shown: while paused, what was told until then. */
  private data: RunData = this.collector.picture();
  private distributions: Metrics | null = null;
  private state: State;
  private summaryTold: Summary | null = null;
  private readonly warnings: Warning[] = [];
  private isScheduled = false;
  private lastFrameMs = Number.NEGATIVE_INFINITY;
  /** While a recording is read. */
  private progressTimer: NodeJS.Timeout | undefined = undefined;
  private readonly ending: Ending;

  constructor(config: Config, after: View) {
    this.config = config;
    this.after = after;
    this.terminal = new Terminal({
      onKey: (key) => this.cost.of(() => this.key(key)),
      onResize: () => this.resized(),
      onGone: () => this.ending.gone(),
    });
    this.ending = new Ending({
      onQuit: () => this.run?.stop(),
      onImpatience: () => this.terminal.close(),
    });
    const first = { endpoint: "endpoints", host: "endpoints", edge: "edges", status: "statuses" } as const;
    this.state = initialState(first[config.view.groupBy], this.terminal.size, config.view.intervalMs);
  }

  start(start: Start, run: Run): void {
    this.run = run;
    this.collector.start(start);
    if (run.progress() !== null) this.progressTimer = setInterval(() => this.schedule(), PROGRESS_MS);
    this.refresh();
  }

  window(window: Window): void {
    this.cost.of(() => {
      this.collector.window(window);
      if (performance.now() - this.lastFrameMs >= LEAST_FRAME_MS) this.refresh();
    });
  }

  sample(sample: Sample): void {
    this.collector.sample(sample);
  }

  warning(warning: Warning): void {
    this.warnings.push(warning);
    this.collector.warning(warning);
  }

  summary(summary: Summary): void {
    clearInterval(this.progressTimer);
    this.summaryTold = summary;
    this.collector.summary(summary);
    this.refresh();
  }

  /** A recording that was read stays on the screen until the user has seen enough. */
  async end(): Promise<void> {
    if (this.config.replayFile !== null) await this.ending.quitted();
    this.terminal.close();
    if (this.ending.isGone) return;
    for (const warning of this.warnings) this.after.warning(warning);
    if (this.summaryTold !== null) this.after.summary(this.summaryTold);
  }

  close(): void {
    clearInterval(this.progressTimer);
    this.terminal.close();
    this.ending.close();
    this.after.close();
  }

  /** The newest data, unless the user wants to look at what is there. */
  private refresh(): void {
    if (this.run !== null && !this.state.isPaused) {
      if (this.summaryTold === null) this.collector.total(this.run.total());
      this.data = this.collector.picture();
      this.measure();
    }
    this.schedule();
  }

  private measure(): void {
    if (this.run === null || this.state.view !== "distributions") return;
    this.distributions = this.run.distributions(this.state.focus);
  }

  private key(key: string): void {
    const before = this.state;
    this.state = press(before, key, pageOf(this.model()));
    const effect = effectOf(key, before, this.state);
    if (effect !== null) this.act(effect);
    const isAnother = this.state.focus !== before.focus || this.state.view !== before.view;
    if (isAnother) this.measure();
    if (before.isPaused && !this.state.isPaused) this.refresh();
    this.schedule();
  }

  private act(effect: Effect): void {
    switch (effect.kind) {
      case "quit":
        this.ending.quit();
        break;
      case "reset":
        this.reset();
        break;
      case "interval":
        this.run?.setIntervalMs(effect.ms);
        this.tell(`every ${formatDuration(effect.ms, 2)}`);
        break;
      case "suspend":
        this.terminal.suspend();
        break;
      case "repaint":
        this.terminal.clear();
        break;
      case "copy":
        this.copy(this.state.detail);
        break;
      case "save":
        this.save(this.state.detail);
        break;
    }
  }

  private reset(): void {
    if (this.summaryTold !== null) {
      this.tell("the run is over: nothing to begin anew");
      return;
    }
    this.run?.reset();
    this.collector.reset();
    this.refresh();
    this.tell("totals begin anew; the summary will be of the whole run");
  }

  private copy(sample: Sample | null): void {
    if (sample === null) return;
    this.terminal.send(`\u001b]52;c;${Buffer.from(curlCommand(sample)).toString("base64")}\u0007`);
  }

  private save(sample: Sample | null): void {
    if (sample !== null) this.tell(saveSample(sample, this.config.view, this.config.showSecrets));
  }

  private tell(notice: string): void {
    this.state = { ...this.state, notice };
  }

  private resized(): void {
    this.state = { ...this.state, size: this.terminal.size };
    this.schedule();
  }

  /** Many keys at once make one frame. */
  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.lastFrameMs = performance.now();
      this.terminal.draw(() => this.cost.of(() => this.frame()));
    });
  }

  private frame(): string {
    return renderToString(<App model={this.model()} />, { columns: this.state.size.columns });
  }

  private model(): Model {
    const { data, state, distributions } = this;
    return {
      data,
      state,
      distributions,
      theme: themeOf(this.config.view, state.size.columns),
      reading: this.summaryTold === null ? this.reading.of(this.run?.progress() ?? null) : null,
      cost: this.cost.shares(),
      showSecrets: this.config.showSecrets,
    };
  }
}
