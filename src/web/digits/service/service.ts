/*
 * The worker's side of the Digits tab: one network in training, what the page is told of it, and what it may ask.
 *
 * Commands are heard at once: they say whether training is wanted, and end what is under way. They are carried out one
 * after the other, and one that a later command makes pointless is left out. Training itself is no command: it goes on
 * whenever it is wanted and no command waits.
 */
import { transfer } from "comlink";
import { DeviceLostError, loadModel, OptionError, type Backend, type Recovery } from "../../../index.ts";
import type { Stamp } from "../../shared/requests.ts";
import type {
  Activity,
  Prediction,
  CellPictures,
  Comparison,
  DigitsApi,
  DigitsCommand,
  DigitsEvent,
  KeptSummary,
  PreparedEvent,
  StepProfile,
} from "../contract.ts";
import { needsRestart, type DigitsSettings } from "../settings.ts";
import { cellOf } from "./predictions.ts";
import { compareDevices, profileStep } from "./apart.ts";
import { loadData, type DigitsData } from "./data.ts";
import { summaryOf, type NetworkStore } from "./kept.ts";
import { Keeper } from "./keeper.ts";
import { Looks, type LookListener } from "./looks.ts";
import { settingsOf } from "./network.ts";
import { Run, type LoadedNetwork, type RunOptions } from "./run.ts";
import { trainOn } from "./training.ts";
import { Turns } from "./turns.ts";

/** What the service works with. */
export interface ServiceOptions {
  /** Gives the device once it is open. */
  getBackend(): Promise<Backend>;
  /** Gives the page's address, beside which MNIST may lie. */
  getPage(): string;
  /** Where networks are kept. */
  readonly store: NetworkStore;
}

export function createDigitsService(options: ServiceOptions): DigitsApi {
  return new DigitsService(options);
}

/** Commands that put another network in the place of the present one. */
const REPLACING: readonly DigitsCommand["kind"][] = ["begin", "load", "resume"];

/** A network to be made: `Run`'s options without what the service adds. */
type Wanted = Pick<RunOptions, "settings" | "loaded" | "resumeFrom" | "course" | "normalization"> & {
  readonly origin: PreparedEvent["origin"];
  readonly seconds: number;
};

class DigitsService implements DigitsApi {
  readonly #options: ServiceOptions;
  readonly #turns = new Turns();
  readonly #data = new Map<string, Promise<DigitsData>>();
  readonly #keeper: Keeper;
  #listener: (event: DigitsEvent, stamp: Stamp) => unknown = () => {};
  #run: Run | undefined;
  #looks: Looks | undefined;
  /** The last request that was heard, and the last ones of those that make others pointless. */
  #request = 0;
  #lastReplacing = 0;
  #lastAdjusting = 0;
  /** Whether training is wanted, and whether the tab is shown. */
  #wanted = false;
  #visible = true;
  /** Commands that were heard and are not done. */
  #pending = 0;
  /** The training under way, and what ends it. */
  #loop: Promise<void> | undefined;
  #controller: AbortController | undefined;
  /** Work apart from the training, and what ends it. */
  #aside: Activity | undefined;
  #asideController: AbortController | undefined;
  #weightsWatched = true;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#keeper = new Keeper(options.store);
  }

  subscribe(listener: (event: DigitsEvent, stamp: Stamp) => void): void {
    this.#listener = listener;
  }

  async command(request: number, command: DigitsCommand): Promise<void> {
    this.#request = request;
    this.#hear(request, command);
    if (command.kind === "start" || command.kind === "pause" || command.kind === "show") return this.#settle();
    this.#pending++;
    this.#settle();
    await this.#turns.take(async () => {
      try {
        if (!this.#isOvertaken(request, command)) await this.#carryOut(request, command);
      } catch (error) {
        // What was asked for cannot be had: the network before stays, and is what the page sees from now on.
        if (this.#run && REPLACING.includes(command.kind)) this.#run.request = request;
        if (!this.#isOvertaken(request, command)) this.#fail(error);
      }
    });
    this.#pending--;
    this.#settle();
  }

  /** Takes what a command says about training. */
  #hear(request: number, command: DigitsCommand): void {
    const { kind } = command;
    if (REPLACING.includes(kind)) this.#lastReplacing = request;
    if (kind === "adjust") this.#lastAdjusting = request;
    if (kind === "start") this.#wanted = true;
    if (kind === "pause" || kind === "step" || kind === "load") this.#wanted = false;
    if (kind === "begin" && command.run !== undefined) this.#wanted = command.run;
    if (kind === "resume") this.#wanted = command.run;
    if (kind === "show") this.#visible = command.visible;
    // Whoever starts, pauses or replaces a network waits for no comparison.
    if (kind !== "show" && kind !== "adjust") this.#asideController?.abort();
  }

  /** Whether a later command makes this one pointless. */
  #isOvertaken(request: number, { kind }: DigitsCommand): boolean {
    return request < this.#lastReplacing || (kind === "adjust" && request < this.#lastAdjusting);
  }

  /** Has the training go on or end as it is wanted, and tells where it stands. */
  #settle(): void {
    const run = this.#run;
    const goesOn = this.#wanted && this.#visible && this.#pending === 0 && run !== undefined;
    if (!goesOn) this.#controller?.abort();
    else if (run.isFinished) this.#wanted = false;
    else this.#loop ??= this.#train(run);
    this.#tellStatus();
  }

  async #carryOut(request: number, command: DigitsCommand): Promise<void> {
    switch (command.kind) {
      case "begin":
        return this.#prepare(request, { settings: command.settings, loaded: undefined, origin: "drawn", seconds: 0 });
      case "adjust":
        return this.#adjust(request, command.settings);
      case "step":
        await this.#loop;
        return (this.#loop = this.#train(this.#required(), 1));
      case "load":
        return this.#load(request, command.bytes, command.name);
      case "resume":
        return this.#resume(request, command.from);
    }
  }

  async #adjust(request: number, settings: DigitsSettings): Promise<void> {
    await this.#loop;
    const run = this.#required();
    if (needsRestart(run.options.settings, settings)) {
      throw new OptionError({ where: "adjust", what: "these changes need a restart", fix: "Begin again with them" });
    }
    const resumeFrom = await run.snapshot();
    const { normalization, seconds, options } = run;
    const course = { step: resumeFrom.step, epochs: run.epochsAt(resumeFrom.step) };
    await this.#prepare(request, {
      settings,
      loaded: options.loaded,
      resumeFrom,
      course,
      normalization,
      seconds,
      origin: "adjusted",
    });
  }

  async #load(request: number, bytes: Uint8Array, name: string): Promise<void> {
    const trained = loadModel(bytes, name);
    const before = this.#required().options;
    const loaded = { file: { name, bytes }, model: trained.model, normalization: trained.normalization };
    await this.#prepare(request, {
      settings: settingsOf(trained, before.settings),
      loaded,
      origin: "file",
      seconds: 0,
    });
  }

  async #resume(request: number, from: "earlier" | "present"): Promise<void> {
    const kept = from === "earlier" ? await this.#keeper.earlier() : this.#keeper.present;
    if (!kept) {
      const run = this.#required();
      return this.#prepare(request, {
        settings: run.options.settings,
        loaded: run.options.loaded,
        origin: "drawn",
        seconds: 0,
      });
    }
    const { settings, snapshot, course, normalization, seconds, file } = kept;
    const loaded = file && { file, ...networkOf(file) };
    await this.#prepare(request, {
      settings,
      loaded,
      resumeFrom: snapshot,
      course,
      normalization,
      seconds,
      origin: "kept",
    });
  }

  /** Puts a trainer of the settings in the place of the one before, which stays where this fails. */
  async #prepare(request: number, { origin, seconds, ...wanted }: Wanted): Promise<void> {
    const [backend, data] = await Promise.all([this.#options.getBackend(), this.#dataOf(wanted.settings)]);
    const onRecovery = ({ fromStep, toStep }: Recovery) => this.#tell(run, { kind: "recovered", fromStep, toStep });
    const options = { ...wanted, backend, data, onRecovery };
    // With other options it is the same network.
    const subject = origin === "adjusted" ? this.#required().request : request;
    const run: Run = await Run.create(options, subject).catch(async (error: unknown) => {
      if (!(error instanceof DeviceLostError)) throw error;
      await backend.restart();
      return Run.create(options, subject);
    });
    if (request < this.#lastReplacing) return run.dispose();
    this.#show(run, seconds);
    this.#tellPrepared(run, origin);
    if (!this.#wanted) void this.#looks!.rest(() => !this.#wanted);
  }

  /** Makes a run the one that is shown. The one before is freed when the step under way is done. */
  #show(run: Run, seconds: number): void {
    const before = this.#run;
    if (before) void (this.#loop ?? Promise.resolve()).then(() => before.dispose());
    run.seconds = seconds;
    this.#run = run;
    this.#keeper.begin(run);
    const listener: LookListener = {
      isShown: (other) => other === this.#run,
      tell: (of, event, buffers) => this.#tell(of, event, buffers),
      fail: (error) => this.#fail(error),
    };
    this.#looks = new Looks(run, listener, this.#weightsWatched);
  }

  /** Trains until it is stopped or the run ends; then looks at what came of it. Never rejects: faults are told and end it. */
  async #train(run: Run, maxSteps?: number): Promise<void> {
    const controller = (this.#controller = new AbortController());
    const looks = this.#looks!;
    const isShown = () => run === this.#run;
    try {
      await trainOn(run, {
        signal: controller.signal,
        ...(maxSteps !== undefined && { maxSteps }),
        tell: (event, buffers) => this.#tell(run, event, buffers),
        between: () => {
          if (!isShown()) return;
          looks.glance();
          this.#keeper.keepNowAndThen(run);
        },
      });
    } catch (error) {
      if (isShown()) {
        this.#wanted = false;
        this.#fail(error);
      }
    }
    this.#controller = this.#loop = undefined;
    // A pause may have been taken back, or another network waits to be trained.
    if (this.#pending === 0) this.#settle();
    const rests = this.#pending === 0 ? !this.#loop : maxSteps !== undefined;
    if (rests && isShown()) void looks.rest(() => !this.#loop).then(() => this.#keeper.keep(run));
  }

  watch({ weights }: { weights: boolean }): void {
    this.#weightsWatched = weights;
    if (!this.#looks) return;
    this.#looks.weightsWatched = weights;
    if (weights) void this.#looks.weights();
  }

  async predict(picture: Uint8Array): Promise<Prediction> {
    return this.#required().answer(picture);
  }

  async cell(actual: number, predicted: number): Promise<CellPictures> {
    const { predictions, options } = this.#required();
    const cell = predictions
      ? cellOf(options.data.test, predictions, actual, predicted)
      : { pictures: new Uint8Array(), count: 0 };
    return transfer(cell, [cell.pictures.buffer as ArrayBuffer]);
  }

  compare(steps: number): Promise<Comparison | undefined> {
    return this.#apart("comparing", (run, signal) => compareDevices(run.options, steps, signal));
  }

  cancelComparison(): void {
    this.#asideController?.abort();
  }

  profile(): Promise<StepProfile> {
    return this.#apart("measuring", (run) => profileStep(run.options));
  }

  /** Works apart from the training, which waits meanwhile. */
  async #apart<Result>(activity: Activity, work: (run: Run, signal: AbortSignal) => Promise<Result>): Promise<Result> {
    this.#pending++;
    this.#settle();
    try {
      return await this.#turns.take(async () => {
        await this.#loop;
        const controller = (this.#asideController = new AbortController());
        this.#aside = activity;
        this.#tellStatus();
        return work(this.#required(), controller.signal);
      });
    } finally {
      this.#aside = this.#asideController = undefined;
      this.#pending--;
      this.#settle();
    }
  }

  async save(): Promise<Uint8Array> {
    const bytes = await this.#required().save();
    return transfer(bytes, [bytes.buffer as ArrayBuffer]);
  }

  async kept(): Promise<KeptSummary | undefined> {
    const kept = await this.#keeper.earlier();
    return kept && summaryOf(kept);
  }

  #required(): Run {
    if (this.#run) return this.#run;
    throw new OptionError({ where: "digits", what: "there is no network yet", fix: "Wait until one is ready" });
  }

  #dataOf({ data }: DigitsSettings): Promise<DigitsData> {
    const known = this.#data.get(data) ?? loadData(data, this.#options.getPage());
    this.#data.set(data, known);
    // Files may be put there later.
    known.catch(() => this.#data.delete(data));
    return known;
  }

  #tellPrepared(run: Run, origin: PreparedEvent["origin"]): void {
    const { trainer, model, options } = run;
    const { settings, data, loaded } = options;
    this.#tell(run, {
      kind: "prepared",
      settings,
      origin,
      step: trainer.step,
      totalSteps: trainer.totalSteps,
      stepsPerEpoch: trainer.stepsPerEpoch,
      data: data.name,
      mnistMissing: data.mnistMissing,
      trainingExamples: data.train.count,
      testExamples: data.test.count,
      parameters: model.parameters.reduce((sum, { size }) => sum + size, 0),
      file: loaded?.file.name,
      dispatches: trainer.dispatches,
    });
  }

  get #activity(): Activity | undefined {
    if (this.#aside) return this.#aside;
    if (this.#loop) return this.#controller?.signal.aborted ? "finishing" : "training";
    return this.#pending > 0 || !this.#run ? "preparing" : undefined;
  }

  #tellStatus(): void {
    const status = {
      kind: "status",
      running: this.#wanted,
      activity: this.#activity,
      step: this.#run?.step ?? 0,
    } as const;
    this.#tell(this.#run, status);
  }

  readonly #fail = (error: unknown): void => {
    const message = error instanceof Error ? error.message : String(error);
    this.#tell(this.#run, { kind: "failed", message, deviceGone: error instanceof DeviceLostError });
  };

  /** Tells an event of a run, unless another one is shown by now. */
  #tell(run: Run | undefined, event: DigitsEvent, buffers: ArrayBuffer[] = []): void {
    if (run !== this.#run) return;
    void this.#listener(transfer(event, buffers), { request: this.#request, subject: run?.request ?? this.#request });
  }
}

/** The network of a file that was loaded before. */
function networkOf({ name, bytes }: LoadedNetwork["file"]): Pick<LoadedNetwork, "model" | "normalization"> {
  const { model, normalization } = loadModel(bytes, name);
  return { model, normalization };
}
