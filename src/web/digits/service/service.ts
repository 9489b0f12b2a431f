/*
 * The worker's side of the Digits tab. It trains one network, reports to the page, and answers the page's questions.
 *
 * A command takes effect in two parts. When it arrives, it sets whether training is wanted and aborts running work. Then it
 * is executed in order, unless a later command makes it pointless. Training is not a command: it runs whenever it is wanted
 * and no command is waiting.
 */
import { transfer } from "comlink";
import { DeviceLostError, OptionError, type Backend, type Recovery } from "../../../index.ts";
import type { Comparison } from "../../shared/comparison-contract.ts";
import type { Stamp } from "../../shared/requests.ts";
import type {
  Activity,
  Prediction,
  CellPictures,
  DigitsApi,
  DigitsCommand,
  DigitsEvent,
  KeptSummary,
  StepProfile,
  WatchedWeights,
} from "../contract.ts";
import { needsRestart, type DigitsSettings } from "../settings.ts";
import { cellOf } from "./predictions.ts";
import { loadData, type DigitsData } from "./data.ts";
import { summaryOf, type NetworkStore } from "./kept.ts";
import { Keeper } from "./keeper.ts";
import { Inspector, type InspectionListener } from "./inspector.ts";
import { settingsOf } from "./network.ts";
import { keptRun, newRun, preparedEvent, type Wanted } from "./prepared.ts";
import { Run } from "./run.ts";
import { trainOn } from "./training.ts";
import { Turns } from "./turns.ts";

export interface ServiceOptions {
  /** Resolves when the device is open. */
  getBackend(): Promise<Backend>;
  /** The page's address. MNIST may be in a folder beside it. */
  getPage(): string;
  /** Stores networks between visits. */
  readonly store: NetworkStore;
}

export function createDigitsService(options: ServiceOptions): DigitsApi {
  return new DigitsService(options);
}

/** Commands that replace the current network. */
const REPLACING: readonly DigitsCommand["kind"][] = ["begin", "load", "resume"];

class DigitsService implements DigitsApi {
  readonly #options: ServiceOptions;
  readonly #turns = new Turns();
  readonly #data = new Map<string, Promise<DigitsData>>();
  readonly #keeper: Keeper;
  #listener: (event: DigitsEvent, stamp: Stamp) => unknown = () => {};
  #run: Run | undefined;
  #inspector: Inspector | undefined;
  /** The last request that arrived, and the last ones that make earlier commands pointless. */
  #request = 0;
  #lastReplacing = 0;
  #lastAdjusting = 0;
  /** Whether training is wanted, and whether the tab is visible. */
  #wanted = false;
  #visible = true;
  /** The number of commands that have arrived and are not finished. */
  #pending = 0;
  /** The running training, and its abort controller. */
  #loop: Promise<void> | undefined;
  #controller: AbortController | undefined;
  /** The running measurement, during which training pauses, and its abort controller. */
  #measurement: Activity | undefined;
  #measurementController: AbortController | undefined;
  #watched: WatchedWeights = { all: false, milliseconds: 200 };

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#keeper = new Keeper(options.store);
  }

  subscribe(listener: (event: DigitsEvent, stamp: Stamp) => void): void {
    this.#listener = listener;
  }

  async command(request: number, command: DigitsCommand): Promise<void> {
    this.#request = request;
    this.#receive(request, command);
    if (command.kind === "start" || command.kind === "pause" || command.kind === "show") return this.#settle();
    this.#pending++;
    this.#settle();
    await this.#turns.take(async () => {
      try {
        if (!this.#isPointless(request, command)) await this.#execute(request, command);
      } catch (error) {
        // The previous network stays. Its events now answer the failed request, since the page drops older ones.
        if (this.#run && REPLACING.includes(command.kind)) this.#run.request = request;
        if (!this.#isPointless(request, command)) this.#fail(error);
      }
    });
    this.#pending--;
    this.#settle();
  }

  /** Applies the part of a command that takes effect when it arrives. */
  #receive(request: number, command: DigitsCommand): void {
    const { kind } = command;
    if (REPLACING.includes(kind)) this.#lastReplacing = request;
    if (kind === "adjust") this.#lastAdjusting = request;
    if (kind === "start") this.#wanted = true;
    if (kind === "pause" || kind === "step" || kind === "load") this.#wanted = false;
    if (kind === "begin" && command.run !== undefined) this.#wanted = command.run;
    if (kind === "resume") this.#wanted = command.run;
    if (kind === "show") this.#visible = command.visible;
    // A visitor who starts, pauses or replaces a network should not have to wait for a measurement.
    if (kind !== "show" && kind !== "adjust") this.#measurementController?.abort();
  }

  /** Whether a later command makes this one pointless. */
  #isPointless(request: number, { kind }: DigitsCommand): boolean {
    return request < this.#lastReplacing || (kind === "adjust" && request < this.#lastAdjusting);
  }

  /** Starts or stops training as it is wanted, and reports the status. */
  #settle(): void {
    const run = this.#run;
    const shouldTrain = this.#wanted && this.#visible && this.#pending === 0 && run !== undefined;
    if (!shouldTrain) this.#controller?.abort();
    else if (run.isFinished) this.#wanted = false;
    else this.#loop ??= this.#train(run);
    this.#tellStatus();
  }

  async #execute(request: number, command: DigitsCommand): Promise<void> {
    switch (command.kind) {
      case "begin":
        return this.#prepare(request, newRun({ settings: command.settings, loaded: undefined }));
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
      throw new OptionError({
        where: "adjust",
        what: "these settings need a restart",
        fix: "Send a begin command with them",
      });
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
    const { loadModel } = await import("./files.ts");
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
    return this.#prepare(request, kept ? await keptRun(kept) : newRun(this.#required().options));
  }

  /** Creates a run and shows it in place of the current one. If that fails, the current one stays. */
  async #prepare(request: number, { origin, seconds, ...wanted }: Wanted): Promise<void> {
    const [backend, data] = await Promise.all([this.#options.getBackend(), this.#dataOf(wanted.settings)]);
    const onRecovery = ({ fromStep, toStep }: Recovery) => this.#tell(run, { kind: "recovered", fromStep, toStep });
    const options = { ...wanted, backend, data, onRecovery };
    // A run with adjusted options trains the same network, so its events have the same subject.
    const subject = origin === "adjusted" ? this.#required().request : request;
    const run: Run = await Run.create(options, subject).catch(async (error: unknown) => {
      if (!(error instanceof DeviceLostError)) throw error;
      await backend.restart();
      return Run.create(options, subject);
    });
    if (request < this.#lastReplacing) return run.dispose();
    this.#show(run, seconds);
    this.#tell(run, preparedEvent(run, origin));
    if (!this.#wanted) void this.#inspector!.inspectIdle(() => !this.#wanted);
  }

  /** Shows a run in place of the current one, which is freed when its running step has finished. */
  #show(run: Run, seconds: number): void {
    const before = this.#run;
    if (before) void (this.#loop ?? Promise.resolve()).then(() => before.dispose());
    run.seconds = seconds;
    this.#run = run;
    this.#keeper.begin(run);
    const listener: InspectionListener = {
      isShown: (other) => other === this.#run,
      tell: (of, event, buffers) => this.#tell(of, event, buffers),
      fail: (error) => this.#fail(error),
    };
    this.#inspector = new Inspector(run, listener, this.#watched);
  }

  /** Trains until the run ends or is aborted, and then inspects the network. Never rejects: an error ends the training and is reported. */
  async #train(run: Run, maxSteps?: number): Promise<void> {
    const controller = (this.#controller = new AbortController());
    const inspector = this.#inspector!;
    const isShown = () => run === this.#run;
    try {
      await trainOn(run, {
        signal: controller.signal,
        maxSteps,
        tell: (event, buffers) => this.#tell(run, event, buffers),
        between: () => {
          if (!isShown()) return;
          inspector.inspectDue();
          this.#keeper.keepIfDue(run);
        },
      });
    } catch (error) {
      if (isShown()) {
        this.#wanted = false;
        this.#fail(error);
      }
    }
    this.#controller = this.#loop = undefined;
    // Training may have been started again since it was aborted, or another network is waiting.
    if (this.#pending === 0) this.#settle();
    const isIdle = this.#pending === 0 ? !this.#loop : maxSteps !== undefined;
    if (isIdle && isShown()) void inspector.inspectIdle(() => !this.#loop).then(() => this.#keeper.keep(run));
  }

  watch(parts: WatchedWeights): void {
    this.#watched = parts;
    if (!this.#inspector) return;
    this.#inspector.watch(parts);
    void this.#inspector.weights();
  }

  async exciting(layer: number, unit: number): Promise<CellPictures> {
    const found = await this.#required().exciting(layer, unit);
    return transfer(found, [found.pictures.buffer as ArrayBuffer]);
  }

  async predict(picture: Uint8Array): Promise<Prediction> {
    return this.#required().predict(picture);
  }

  async read(pictures: Uint8Array): Promise<Float32Array> {
    return this.#required().read(pictures);
  }

  async cell(actual: number, predicted: number): Promise<CellPictures> {
    const { predictions, options } = this.#required();
    const cell = predictions
      ? cellOf(options.data.test, predictions, actual, predicted)
      : { pictures: new Uint8Array(), count: 0 };
    return transfer(cell, [cell.pictures.buffer as ArrayBuffer]);
  }

  compare(steps: number): Promise<Comparison | undefined> {
    return this.#measure("comparing", async (run, signal) => {
      const { compareDevices } = await import("../../shared/compare-devices.ts");
      const { settings, data, loaded, backend: own } = run.options;
      const trainerOn = async (backend: Backend) => (await Run.create({ settings, data, loaded, backend })).trainer;
      return compareDevices({ backend: own, trainerOn, steps, signal });
    });
  }

  cancelComparison(): void {
    this.#measurementController?.abort();
  }

  profile(): Promise<StepProfile> {
    return this.#measure("measuring", async (run) => {
      const { profileStep } = await import("./profile.ts");
      return profileStep(run.options);
    });
  }

  /** Runs a measurement. Training pauses meanwhile. */
  async #measure<Result>(
    activity: Activity,
    work: (run: Run, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    this.#pending++;
    this.#settle();
    try {
      return await this.#turns.take(async () => {
        await this.#loop;
        const controller = (this.#measurementController = new AbortController());
        this.#measurement = activity;
        this.#tellStatus();
        return work(this.#required(), controller.signal);
      });
    } finally {
      this.#measurement = this.#measurementController = undefined;
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
    throw new OptionError({ where: "digits", what: "no network is ready yet", fix: "Wait until one is" });
  }

  /** The data of a network: also the visitor's drawings, if they are wanted. */
  async #dataOf({ data, drawingCopies }: DigitsSettings): Promise<DigitsData> {
    const loaded = await this.#loaded(data);
    if (drawingCopies === 0) return loaded;
    return (await import("./drawings.ts")).withDrawings(loaded, drawingCopies);
  }

  #loaded(data: DigitsSettings["data"]): Promise<DigitsData> {
    const known = this.#data.get(data) ?? loadData(data, this.#options.getPage());
    this.#data.set(data, known);
    // The files may be added later.
    known.catch(() => this.#data.delete(data));
    return known;
  }

  get #activity(): Activity | undefined {
    if (this.#measurement) return this.#measurement;
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

  /** Sends an event of a run, unless another run has replaced it. */
  #tell(run: Run | undefined, event: DigitsEvent, buffers: ArrayBuffer[] = []): void {
    if (run !== this.#run) return;
    void this.#listener(transfer(event, buffers), { request: this.#request, subject: run?.request ?? this.#request });
  }
}
